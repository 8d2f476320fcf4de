#!/usr/bin/env bash
# Unpacks a software Vulkan driver (mesa's lavapipe) and a Vulkan loader into .drivers/, for machines without a GPU. The
# folder is REVERIE_HOME's, by default the project's.
#
# The packages come from the distribution's own archive, as this machine's apt sources name it; apt runs on a private
# state, so neither root nor a change to the system is needed. Libraries that dpkg already lists stay the system's.
# Debian 12 takes them from backports, for its stable mesa (22.3) is too old for Dawn.
#
# Usage: bash scripts/unpack-driver.sh            exits 0 with .drivers/ in place, 1 with the reason on stderr
#        bash scripts/unpack-driver.sh --system   installs the same packages into the system instead, as root
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
cd "${REVERIE_HOME:-$scripts/..}"

fail() {
  echo "unpack-driver: $*" >&2
  exit 1
}

# shellcheck source=scripts/private-apt.sh
. "$scripts/private-apt.sh"
case "$(dpkg --print-architecture)" in
  amd64) triplet=x86_64-linux-gnu ;;
  arm64) triplet=aarch64-linux-gnu ;;
  *) fail "no lavapipe for $(dpkg --print-architecture): Dawn runs on amd64 and arm64" ;;
esac

work=$(mktemp -d "$PWD/.drivers.tmp-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/root"
private_apt "$work"

release=()
if [ "$codename" = bookworm ]; then
  release=(-t bookworm-backports)
  indices=$(apt-get "${apt[@]}" --print-uris update)
  if ! grep -q "/dists/bookworm-backports/InRelease'" <<<"$indices"; then
    archive=$(sed -nE "s#^'(.*)/dists/(bookworm|oldstable)/InRelease'.*#\\1#p" <<<"$indices" | head -n 1)
    [ -n "$archive" ] || fail "the apt sources name no bookworm archive to take backports from"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb $([ -r $keyring ] && echo "[signed-by=$keyring] ")$archive bookworm-backports main" \
      >"$work/sources/reverie-backports.list"
  fi
fi

retry update_lists || fail "apt-get update failed three times (is the distribution's archive reachable?)"
wanted=(mesa-vulkan-drivers libvulkan1)
# A container may hold NVIDIA's driver without the libraries that it needs; with them and a loader it works.
[ ! -e /dev/nvidia0 ] || wanted+=(libegl1 libxext6)
install=(${release[@]+"${release[@]}"} --no-install-recommends install "${wanted[@]}")
if [ "${1:-}" = --system ]; then
  retry apt-get "${apt[@]}" -o Debug::NoLocking=0 -o DPkg::Lock::Timeout=300 -y "${install[@]}" >&2 ||
    fail "apt-get install failed three times"
  exit 0
fi

plan=$(apt-get "${apt[@]}" --simulate "${install[@]}") || fail "apt finds no way to install mesa-vulkan-drivers"
mapfile -t packages < <(awk '/^Inst/ { print $2 }' <<<"$plan")
[ "${#packages[@]}" -gt 0 ] || fail "mesa-vulkan-drivers and libvulkan1 are installed already, yet give no working adapter"
(cd "$work/debs" && retry apt-get "${apt[@]}" ${release[@]+"${release[@]}"} download "${packages[@]}" >&2) ||
  fail "downloading ${#packages[@]} packages failed three times"

# Other vendors' drivers, OpenGL and documentation are most of the bulk and of no use here.
for deb in "$work"/debs/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --no-same-owner \
    --exclude='./usr/share/doc*' --exclude='./usr/share/man*' --exclude='./usr/share/locale*' --exclude='./usr/share/bug*' \
    --exclude='*/libvulkan_intel*' --exclude='*/libvulkan_radeon*' --exclude='*/libvulkan_nouveau*' \
    --exclude='*/libvulkan_virtio*' --exclude='*/libvulkan_gfx*' --exclude='*/libvulkan_asahi*' \
    --exclude='*/libvulkan_powervr*' --exclude='*/libvulkan_broadcom*' --exclude='*/libvulkan_freedreno*' \
    --exclude='*/libvulkan_panfrost*' --exclude='*/libVkLayer*' --exclude='*/libgallium*' --exclude='*/dri' \
    --exclude='*/gbm' --exclude='*/libgbm*' --exclude='*/libGLX_*' --exclude='*/libEGL_*'
done

driver="usr/lib/$triplet/libvulkan_lvp.so"
[ -e "$work/root/$driver" ] || fail "the packages hold no $driver"
# A path relative to the manifest: the folder may be moved or mounted elsewhere.
printf '{ "file_format_version": "1.0.1", "ICD": { "library_path": "./%s", "api_version": "1.3.0" } }\n' "$driver" \
  >"$work/root/icd.json"
version=$(dpkg-deb --field "$work"/debs/mesa-vulkan-drivers_*.deb Version)
printf 'lavapipe-%s\n' "${version//[^A-Za-z0-9.+-]/_}" >"$work/root/version"

rm -rf .drivers
chmod 755 "$work/root"
mv "$work/root" .drivers
