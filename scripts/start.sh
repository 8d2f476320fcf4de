#!/usr/bin/env bash
# The main job: sets the folder up if need be, then trains networks, replays them and writes the report. Arguments go
# to `reverie start`.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
# shellcheck source=scripts/common.sh
. scripts/common.sh
exec node dist/cli/main.js start "$@"
