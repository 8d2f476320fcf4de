#!/usr/bin/env bash
# Unpacks SwiftShader and its Vulkan loader into .drivers/: the last resort, where no distribution archive is at hand.
#
# It is several times slower than lavapipe and its tanh, log and cos are wrong in places; the kernels' own functions
# do not use them. The libraries come out of a headless browser's npm package, of which nothing else is kept.
set -euo pipefail
cd "${REVERIE_HOME:-$(dirname "$0")/..}"

package=@sparticuz/chromium
version=147.0.0
fail() {
  echo "unpack-swiftshader: $*" >&2
  exit 1
}
[ "$(uname -sm)" = "Linux x86_64" ] || fail "$package is for Linux on x86-64 only"

work=$(mktemp -d "$PWD/.drivers.tmp-XXXXXX")
trap 'rm -rf "$work"' EXIT
libraries=$work/root/usr/lib/x86_64-linux-gnu
mkdir -p "$libraries"

npm pack --loglevel=error --fetch-retries=1 --pack-destination "$work" "$package@$version" >&2 ||
  fail "npm could not fetch $package@$version (is the npm registry reachable?)"
tar -xzf "$work"/*.tgz -C "$work" package/bin/swiftshader.tar.br
node -e 'const { brotliDecompressSync: open } = require("node:zlib"); process.stdout.write(open(require("node:fs").readFileSync(0)))' \
  <"$work/package/bin/swiftshader.tar.br" >"$work/swiftshader.tar"
tar -xf "$work/swiftshader.tar" -C "$libraries" --no-same-owner libvk_swiftshader.so libvulkan.so.1

cat >"$work/root/icd.json" <<'JSON'
{
  "file_format_version": "1.0.0",
  "ICD": { "library_path": "./usr/lib/x86_64-linux-gnu/libvk_swiftshader.so", "api_version": "1.1.0" }
}
JSON
echo "swiftshader-$version" >"$work/root/version"

rm -rf .drivers
chmod 755 "$work/root"
mv "$work/root" .drivers
