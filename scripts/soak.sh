#!/usr/bin/env bash
# The figures of reliability with their large counts: npm run test:soak -- [part of a file's name]
#
# Parts: kill, faults, corruption, fuzz, leaks, exit. Each prints one line and writes it to scripts/reliability/results;
# node scripts/update-readme.mjs puts them into the README. REVERIE_SEED=2 takes other random cases.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
# shellcheck source=scripts/common.sh
. scripts/common.sh
export REVERIE_SOAK=1
exec node node_modules/vitest/vitest.mjs run "test/reliability/${1:-}"
