# shellcheck shell=bash
# Sourced in the project's root: puts the Node that setup.sh unpacked first on PATH, if the machine's own is too old.
if [ -x .tools/node_modules/.bin/node ]; then
  PATH="$PWD/.tools/node_modules/.bin:$PATH"
  export PATH
fi
