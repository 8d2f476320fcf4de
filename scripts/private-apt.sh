# shellcheck shell=bash
# Sourced by the scripts that unpack packages of the distribution without root and without touching the system's apt: they
# come from the archive that this machine's apt sources name, by way of a state of its own. The script brings `fail`.

for command in apt-get dpkg-deb dpkg tar; do
  command -v "$command" >/dev/null || fail "no $command: this works on Debian and its derivatives only"
done
[ -r /etc/os-release ] || fail "no /etc/os-release, so the distribution's release is unknown"
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || fail "/etc/os-release names no VERSION_CODENAME"

# private_apt FOLDER: makes the state there and fills the array $apt with the options that lead to it.
private_apt() {
  local work=$1 file
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/sources" "$work/debs"
  # The machine's own source lines, whatever their format and keys; other vendors' repositories only cost time.
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -r "$file" ] && grep -qE "(^|[[:space:]])$codename([[:space:]]|/|\$)" "$file"; then cp "$file" "$work/sources/"; fi
  done
  if [ -z "$(ls -A "$work/sources")" ]; then
    cp /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$work/sources/" 2>/dev/null || true
  fi
  [ -n "$(ls -A "$work/sources")" ] || fail "no readable apt sources under /etc/apt"
  apt=(
    -q -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache"
    -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources"
    -o Debug::NoLocking=1 -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30
  )
}

retry() {
  local try
  for try in 1 2 3; do
    "$@" && return 0
    [ "$try" = 3 ] || sleep $((try * 3))
  done
  return 1
}

# apt-get update succeeds, with warnings, when it could fetch nothing.
update_lists() { apt-get "${apt[@]}" update >&2 && compgen -G "$work/lists/*_Packages*" >/dev/null; }
