#!/usr/bin/env bash
# Installs the Debian packages of the lists named; their form is described in deploy/packages.txt.
#
# Removes no package. Asks nothing of apt, nor for root, when everything is there already. From deploy/quickstart.sh
# and tests/run.sh, or by hand: deploy/install-packages.sh deploy/packages.txt
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf 'error: %s\n' "$@" >&2
  exit 1
}

# Of any architecture; a package that dpkg has only heard of is "not-installed".
installed() { [[ " $(dpkg-query -W -f='${db:Status-Status} ' "$1" 2>/dev/null)" == *' installed '* ]]; }

# True where the package named, or what the rest of its line accepts in its place, is there.
satisfied() {
  local name=$1 option
  shift
  installed "$name" && return
  for option in "$@"; do
    case $option in
      command:*) command -v "${option#command:}" >/dev/null && return ;;
      unpack:*) [[ -e $repo/${option#unpack:}/.$name ]] && return ;;
    esac
  done
  return 1
}

declare -a missing=()
declare -A unpack_into=()

# Fills the two above from one list.
read_list() {
  local line name option
  local -a words
  while read -r line || [[ -n $line ]]; do
    read -ra words <<<"${line%%#*}"
    ((${#words[@]})) || continue
    name=${words[0]}
    satisfied "${words[@]}" && continue
    missing+=("$name")
    for option in "${words[@]:1}"; do
      if [[ $option == unpack:* ]]; then unpack_into[$name]=$repo/${option#unpack:}; fi
    done
  done <"$1"
}

# apt-get as root, not interactive, waiting its turn.
apt() {
  local -a as_root=()
  if ((EUID != 0)); then as_root=(sudo); fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

simulate_install() { apt-get -s --no-remove --no-install-recommends install "$@" >/dev/null 2>&1; }

# Names the packages that would have to go: the usual reason why apt refuses.
explain_refusal() {
  local removed
  removed=$(apt-get -s --no-install-recommends install "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p' | xargs) || true
  if [[ -n $removed ]]; then
    fail "installing $* would remove: $removed" "remove these yourself if you can do without them, then try again"
  fi
  fail "apt-get could not install: $*" "what it said stands above; this needs Debian 12 (bookworm) and its mirrors"
}

# The files of a package that cannot be installed beside what is there; the mark says that they are complete.
unpack() {
  local name=$1 into=$2 downloads
  downloads=$(mktemp -d)
  chmod 755 "$downloads"
  (cd "$downloads" && apt-get -qq download "$name") || fail "apt-get could not download $name"
  mkdir -p "$into"
  dpkg -x "$downloads"/*.deb "$into"
  touch "$into/.$name"
  rm -r "$downloads"
  printf '%s is unpacked in %s: it would not go in beside the packages you have\n' "$name" "${into#"$repo"/}"
}

(($#)) || fail "usage: ${BASH_SOURCE[0]} LIST..."
for list in "$@"; do read_list "$list"; done
if ((${#missing[@]} == 0)); then
  echo "packages: all are installed"
  exit 0
fi
command -v apt-get >/dev/null || fail "these Debian packages are needed, and there is no apt-get here: ${missing[*]}"
if ((EUID != 0)) && ! command -v sudo >/dev/null; then
  fail "these packages are missing, and only root may install them: ${missing[*]}" \
    "as root: apt-get install --no-remove ${missing[*]}" "or install sudo, and run this again"
fi

echo "packages: installing ${missing[*]}"
apt update || echo "apt-get update failed; going on with the package lists that are here" >&2
declare -a wanted=() unpacked=()
for name in "${missing[@]}"; do
  if [[ -n ${unpack_into[$name]:-} ]] && ! simulate_install "$name"; then
    unpacked+=("$name")
  else
    wanted+=("$name")
  fi
done
if ((${#wanted[@]})); then
  apt install -y --no-remove --no-install-recommends "${wanted[@]}" || explain_refusal "${wanted[@]}"
fi
for name in "${unpacked[@]}"; do unpack "$name" "${unpack_into[$name]}"; done
