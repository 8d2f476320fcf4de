#!/usr/bin/env bash
# Place cells: both kinds of input at the small size with replay, and 512 units with 512 cells without and with masking,
# beside the best linear predictor of what the masked networks see. On two CPU cores about five minutes for the small
# networks and twenty for each large one. Results: src/code/README.md.
#   bash scripts/reproduce-place-cells.sh [DIRECTORY]     (default: runs/place-cells)
set -euo pipefail
cd "$(dirname "$0")/.."
npm run --silent setup
runs=${1:-runs/place-cells}
reverie() { node dist/cli/main.js "$@"; }

for input in displacement codeDelta; do
  reverie start --preset place --set "task.input=$input" --out "$runs/$input"
done

large=(--preset place-large --set train.batch=32 --set train.iterations=600 --set train.learningRate=0.002
  --set test.trajectories=256)
for every in 1 5; do
  reverie train "${large[@]}" --set "task.maskEvery=$every" --out "$runs/large-$every"
done

paths=(--preset place --set 'seeds=[0]' --set task.maskEvery=5)
reverie paths "${paths[@]}" --batch 20000 --out "$runs/fit.npz"
reverie paths "${paths[@]}" --batch 1024 --stream test --out "$runs/test.npz"
printf 'best linear predictor, one input in 5 visible, m: '
node scripts/place-cells/linear-predictor.mjs "$runs/fit.npz" "$runs/test.npz"
