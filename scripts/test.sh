#!/usr/bin/env bash
# Sets the folder up if need be, then runs the tests. Arguments go to vitest: npm test -- test/unit -t philox
#
# The last line of stdout is "N passed, N failed", with ", N skipped" where there are any, and the exit code agrees. A
# run with no test, or one longer than REVERIE_TEST_SECONDS (default 2400), has failed: a native call that hangs is deaf
# to vitest's own time limits. On two quiet cores the suite takes a fraction of that; the bound is for hangs.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! bash scripts/setup.sh; then
  echo "0 passed, 1 failed"
  exit 1
fi
# shellcheck source=scripts/common.sh
. scripts/common.sh

[ -z "${CI:-}" ] || export NO_COLOR=1
results=$(mktemp)
trap 'rm -f "$results"' EXIT
limit_to "${REVERIE_TEST_SECONDS:-2400}"
status=0
# In the background, so that a signal to this script ends the runner with all its workers: timeout passes it on.
"${limited[@]}" \
  node node_modules/vitest/vitest.mjs run --reporter=default --reporter=json --outputFile.json="$results" "$@" &
runner=$!
trap 'kill -TERM "$runner" 2>/dev/null || true' INT TERM
wait "$runner" || status=$?
[ "$status" != 124 ] && [ "$status" != 137 ] || echo "test: stopped after ${REVERIE_TEST_SECONDS:-2400} s" >&2
node scripts/summarise-tests.mjs "$results" "$status"
