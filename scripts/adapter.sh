#!/usr/bin/env bash
# Finds a WebGPU adapter that computes, or gets one: the system's own if it works, otherwise a software driver unpacked
# into FOLDER/.drivers/. A machine whose own adapter works is left as it is.
#
# Usage: bash scripts/adapter.sh FOLDER LOG
# One line a step goes to stderr, details to LOG. Exits 0 with an adapter, 3 without, and then with the reasons.
set -euo pipefail
mkdir -p "$1"
home=$(cd "$1" && pwd)
log=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh
# The program, and the scripts that unpack, look and work there.
export REVERIE_HOME=$home

say() { echo "setup: $*" >&2; }
logged() {
  echo "+ $*" >>"$log"
  "$@" >>"$log" 2>&1
}

reasons=()
limit_to 60

# probe MODE: sets $adapter when the adapter of that mode computes a known answer, else adds to the reasons.
probe() {
  local start reason
  echo "+ probe $1" >>"$log"
  start=$(wc -l <"$log")
  adapter=$("${limited[@]}" node scripts/probe-adapter.mjs "$1" 2>>"$log") && return 0
  reason=$(tail -n "+$((start + 1))" "$log" | grep -v -e '^Warning: ' -e '^ *at ' | tail -n 1 || true)
  reasons+=("$1: ${reason:-the probe crashed, see $log}")
  return 1
}

# The unpacked loader with the system's own drivers comes before the unpacked driver: a container may hold a GPU's
# driver and no loader. Without icd.json, the program leaves the choice of the driver to the loader.
probe_unpacked() {
  [ -d "$home/.drivers" ] || return 1
  if probe loader; then
    [ ! -e "$home/.drivers/icd.json" ] || mv "$home/.drivers/icd.json" "$home/.drivers/icd.unused.json"
    return 0
  fi
  [ ! -e "$home/.drivers/icd.unused.json" ] || mv "$home/.drivers/icd.unused.json" "$home/.drivers/icd.json"
  probe unpacked
}

# attempt WHAT PROBE COMMAND…: one way to get a driver.
attempt() {
  local what=$1 check=$2 start
  shift 2
  say "no adapter yet; trying $what"
  start=$(wc -l <"$log")
  if logged "$@"; then
    "$check" && return 0
  else
    reasons+=("$what: $(tail -n "+$((start + 1))" "$log" | grep -E '^(E:|npm error|unpack-)' | tail -n 2 | paste -s -d ' ' -)")
  fi
  return 1
}

probe_system() { probe system; }

find_adapter() {
  if [ -n "${VK_DRIVER_FILES+set}${VK_ICD_FILENAMES+set}${VK_ADD_DRIVER_FILES+set}" ]; then
    probe system && return 0
    reasons+=("a VK_… variable chooses the driver: unset it to have one unpacked here")
    return 1
  fi
  if probe system; then
    rm -rf "$home/.drivers"
    return 0
  fi
  probe_unpacked && return 0
  [ "$(uname -s)" = Linux ] || return 1
  attempt "mesa's software driver, unpacked into $home/.drivers/" probe_unpacked \
    bash scripts/unpack-driver.sh && return 0
  rm -rf "$home/.drivers"
  if [ "$(id -u)" = 0 ]; then
    attempt "mesa's software driver, installed with apt" probe_system bash scripts/unpack-driver.sh --system && return 0
  fi
  attempt "SwiftShader from npm, unpacked into $home/.drivers/" probe_unpacked bash scripts/unpack-swiftshader.sh && return 0
  rm -rf "$home/.drivers"
  return 1
}

if ! find_adapter; then
  say "no adapter computes on this machine:"
  printf '  %s\n' "${reasons[@]}" >&2
  say "install a Vulkan driver (GPU: its vendor's; none: mesa 23 or newer), then run this again; details in $log"
  exit 3
fi

say "ready: $adapter"
if [[ "$adapter" == *SwiftShader* ]]; then
  say "degraded: SwiftShader is 5 to 10 times slower than lavapipe, and its built-in functions are inexact;" \
    "remove $home/.drivers/ to try the distribution's driver again"
fi
if [[ "$adapter" == *"(software)" ]] && [ -e /dev/nvidia0 ]; then
  say "there is an NVIDIA GPU without its Vulkan driver: install libnvidia-gl of the driver's version, or start the" \
    "container with NVIDIA_DRIVER_CAPABILITIES=all"
fi
