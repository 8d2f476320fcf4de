#!/usr/bin/env bash
# Compiles src/ into dist/, unless dist/ was made from these very sources.
set -euo pipefail
cd "$(dirname "$0")/.."

source_hash=$(find src tsconfig.json tsconfig.build.json package-lock.json -type f -print0 |
  LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
[ "$(cat dist/.source-hash 2>/dev/null)" != "$source_hash" ] || exit 0

# Built aside and then renamed, so that an interrupted build leaves no half-made dist/.
fresh=.dist.tmp-$$
trap 'rm -rf "$fresh"' EXIT
node node_modules/typescript/bin/tsc -p tsconfig.build.json --outDir "$fresh"
(cd src && find . -type f ! -name '*.ts' -print0 | tar -c --null --files-from=-) | tar -x -C "$fresh"
[ ! -e "$fresh/cli/main.js" ] || chmod +x "$fresh/cli/main.js"
echo "$source_hash" >"$fresh/.source-hash"
rm -rf dist
mv "$fresh" dist
