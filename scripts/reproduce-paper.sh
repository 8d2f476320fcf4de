#!/usr/bin/env bash
# The paper, claim by claim: `reverie paper` in full, from nothing or from where it stopped; then its results, the table
# of the README and the figures. Without a GPU this takes hours (npx reverie paper --plan says how many).
#   bash scripts/reproduce-paper.sh [DIRECTORY]     (default: runs/paper)
set -euo pipefail
cd "$(dirname "$0")/.."
npm run --silent setup
run=${1:-runs/paper}

if [ -e "$run" ]; then
  node dist/cli/main.js paper --resume --out "$run"
else
  node dist/cli/main.js paper --out "$run"
fi

node scripts/paper/collect.mjs "$run"
node scripts/update-readme.mjs
for figure in scripts/paper/*.mjs; do
  case "$figure" in */draw.mjs | */collect.mjs) continue ;; esac
  node "$figure"
done
