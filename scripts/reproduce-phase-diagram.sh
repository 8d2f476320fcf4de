#!/usr/bin/env bash
# Momentum × adaptation on trained T-maze networks: eight networks, 31 × 31 conditions, 32 repeats, 400 steps, that is
# 246,016 rollouts. About four minutes in all on two cores without a GPU; what was interrupted is taken up again.
# Writes scripts/figures/phase.{png,svg,csv} and phase-trajectories.svg.
#   bash scripts/reproduce-phase-diagram.sh [DIRECTORY]     (default: runs/phase-diagram)
set -euo pipefail
cd "$(dirname "$0")/.."
npm run --silent setup
runs=${1:-runs/phase-diagram}
reverie() { node dist/cli/main.js "$@"; }

if [ ! -e "$runs/tmaze/manifest.json" ]; then
  reverie train --preset tmaze --set 'seeds=[0,1,2,3,4,5,6,7]' --out "$runs/tmaze"
else
  reverie train --resume --out "$runs/tmaze"
fi

# Maps: every condition, metrics only. Trajectories: a coarse grid of the same plane, with decoded positions.
sweep() {
  local out=$1
  shift
  if [ -e "$out/sweep.json" ]; then
    reverie sweep --resume --out "$out"
  else
    reverie sweep "$runs/tmaze" --grid adaptTau=200 --steps 400 --out "$out" "$@"
  fi
  reverie report "$out"
}
sweep "$runs/sweep" --grid friction=0.25:1:31 --grid adaptStrength=0:0.15:31 --repeats 32
sweep "$runs/decoded" --grid friction=0.25,0.4,0.5,0.6,0.8,1 --grid adaptStrength=0,0.02,0.05,0.1,0.15 \
  --repeats 8 --save decoded

mkdir -p scripts/figures
cp "$runs"/sweep/report/phase.{png,svg,csv} scripts/figures/
cp "$runs/decoded/report/trajectories.svg" scripts/figures/phase-trajectories.svg
