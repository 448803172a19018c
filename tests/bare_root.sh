#!/usr/bin/env bash
# The quickstart, as a user would run it, on a bare Debian 12: a minimal system in a folder of its own, a clean copy of
# the last commit in it, `deploy/quickstart.sh --exit` inside by chroot; and then the image (bare_image.sh). Exits with 77
# (ctest: skipped) where that cannot be.
#
# To save time it shares the host's compiler cache and keeps downloaded packages beside it; LLM_ROUTER_MIRROR names another
# Debian mirror, LLM_ROUTER_BARE_CACHE another folder for both (empty: nothing is shared).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

skip() {
  printf 'bare_root: skipped: %s\n' "$*"
  exit 77
}

((EUID == 0)) || skip 'it needs root (chroot, mount)'
command -v mmdebstrap >/dev/null || skip 'mmdebstrap is not installed (tests/packages.txt)'
git rev-parse --verify -q HEAD >/dev/null || skip 'this is not a git checkout'

server=

# Whatever is mounted below the root goes first, and only then files, on this file system alone.
clean_up() {
  local at
  if [[ -n $server ]]; then kill -KILL "$server" 2>/dev/null || true; fi
  while read -r at; do umount -- "$at" || umount -l -- "$at" || true; done < <(awk -v work="$work/" 'index($2, work) == 1 {print $2}' /proc/mounts | sort -r)
  if grep -qF " $work/" /proc/mounts; then
    echo "bare_root: something is still mounted below $work, which is left as it is" >&2
    return
  fi
  rm -rf --one-file-system -- "$work"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/llm-router-bare.XXXXXX")
readonly work root=$work/root image=$work/image
trap clean_up EXIT
trap 'exit 130' INT TERM

readonly mirror=${LLM_ROUTER_MIRROR:-http://deb.debian.org/debian}
readonly security=${LLM_ROUTER_SECURITY_MIRROR:-${mirror%/}-security}
readonly cache=${LLM_ROUTER_BARE_CACHE-${XDG_CACHE_HOME:-$HOME/.cache}/llm-router-bare}

failed() {
  echo "bare_root: FAILED: $*"
  exit 1
}

# bare_debian DIR: a minimal Debian 12 there.
bare_debian() {
  mmdebstrap --quiet --variant=minbase bookworm "$1" "deb $mirror bookworm main" "deb $mirror bookworm-updates main" \
    "deb $security bookworm-security main" </dev/null
  mount_system "$1"
}

# mount_system DIR: what the kernel gives to every system.
mount_system() {
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  mount --make-rslave "$1/dev"
}

echo "bare_root: a minimal Debian 12 from $mirror"
bare_debian "$root"

# At the same path as here, so that what the compiler cache knows fits.
readonly source=$PWD
mkdir -p "$root$source"
git archive HEAD | tar -x -C "$root$source"
inside=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
  LLM_ROUTER_LISTEN_GRPC=0 LLM_ROUTER_LISTEN_REST=0 LLM_ROUTER_LISTEN_ADMIN=0 LLM_ROUTER_LISTEN_HTTP=0)
if [[ -n $cache ]]; then
  mkdir -p "$cache/packages" "$root/ccache"
  mount --bind "$cache/packages" "$root/var/cache/apt/archives"
  echo "bare_root: packages are kept in $cache"
  if command -v ccache >/dev/null; then
    host_ccache=$(ccache --get-config cache_dir)
    mkdir -p "$host_ccache"
    mount --bind "$host_ccache" "$root/ccache"
    inside+=(CCACHE_DIR=/ccache)
    echo "bare_root: the build shares the compiler cache $host_ccache"
  fi
fi

readonly output=$work/output
status=0
chroot "$root" "${inside[@]}" "$source/deploy/quickstart.sh" --exit </dev/null 2>&1 | tee "$output" || status=$?
((status == 0)) || failed "the quickstart ended with status $status"
for route in openai claude; do
  grep -qE "^${route}_requests -> .*[[:alnum:]]" "$output" || failed "no answer on ${route}_requests"
done
grep -q SIMULATED "$output" || failed 'the output does not say that the answers are simulated'
echo 'bare_root: passed: both questions were answered on a bare Debian 12'

# shellcheck source=tests/bare_image.sh
source tests/bare_image.sh
make_image
run_image
