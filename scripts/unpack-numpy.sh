#!/usr/bin/env bash
# Prints how to start a Python that has NumPy: the system's own, or the system's with Debian's python3-numpy, which is
# unpacked into .numpy/ (no root, nothing outside the folder). For the tests of scripts/python.
#
# Usage: bash scripts/unpack-numpy.sh              stdout: a command, one word a line; exits 1 with the reason on stderr
#        bash scripts/unpack-numpy.sh --offline    looks for one, but fetches nothing
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
cd "$scripts/.."

fail() {
  echo "unpack-numpy: $*" >&2
  exit 1
}

python=/usr/bin/python3
[ -x "$python" ] || fail "no $python"
unpacked=(env "PYTHONPATH=$PWD/.numpy/usr/lib/python3/dist-packages" "LD_LIBRARY_PATH=$PWD/.numpy/lib" "$python")
# found COMMAND…: prints it if it has NumPy.
found() { "$@" -c "import numpy" 2>/dev/null && printf '%s\n' "$@"; }

found "$python" && exit 0
found "${unpacked[@]}" && exit 0
[ "${1:-}" != --offline ] || fail "no NumPy for $python: run bash scripts/unpack-numpy.sh, or apt-get install python3-numpy"

# shellcheck source=scripts/private-apt.sh
. "$scripts/private-apt.sh"
work=$(mktemp -d "$PWD/.numpy.tmp-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/lib"
private_apt "$work"
update_lists || fail "apt-get update failed (is the distribution's archive reachable?)"
# What NumPy loads at run time; its other dependencies are for building extensions.
packages=(python3-numpy libblas3 liblapack3 libgfortran5)
[ "$(dpkg --print-architecture)" != amd64 ] || packages+=(libquadmath0)
(cd "$work/debs" && apt-get "${apt[@]}" download "${packages[@]}" >&2) || fail "cannot download ${packages[*]}"
for deb in "$work"/debs/*.deb; do dpkg-deb --extract "$deb" "$work/root"; done
find "$work/root/usr/lib" -name '*.so.[0-9]*' -exec cp -d --target-directory="$work/root/lib" {} +
rm -rf .numpy
chmod 755 "$work/root"
mv "$work/root" .numpy
found "${unpacked[@]}" || fail "Debian's NumPy does not start with $python ($($python --version 2>&1))"
