#!/usr/bin/env bash
# Compiles src/ into dist/, unless dist/ was made from these very sources.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

sources=$(find src tsconfig.json tsconfig.build.json package-lock.json -type f | LC_ALL=C sort)
source_hash=$( (echo "$sources" && tr '\n' '\0' <<<"$sources" | xargs -0 cat) | sha256)
[ "$(cat dist/.source-hash 2>/dev/null)" != "$source_hash" ] || exit 0

# Built aside and then renamed, so that an interrupted build leaves no half-made dist/.
fresh=.dist.tmp-$$
trap 'rm -rf "$fresh"' EXIT
node node_modules/typescript/bin/tsc -p tsconfig.build.json --outDir "$fresh"
[ ! -e "$fresh/cli/main.js" ] || chmod +x "$fresh/cli/main.js"
echo "$source_hash" >"$fresh/.source-hash"
rm -rf dist
mv "$fresh" dist
