# shellcheck shell=bash
# Sourced by the other scripts, in the project's root.

# The Node that setup.sh unpacked comes first, if the machine's own is too old.
if [ -x .tools/node_modules/.bin/node ]; then
  PATH="$PWD/.tools/node_modules/.bin:$PATH"
  export PATH
fi

# sha256: the hash of stdin. macOS has the second command only.
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1
}

# limit_to SECONDS: fills the array $limited with the words to put before a command that may hang. macOS has no timeout.
# shellcheck disable=SC2034
limit_to() {
  limited=(env)
  if command -v timeout >/dev/null; then limited=(timeout --kill-after=10 "$1"); fi
}
