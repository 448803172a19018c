#!/usr/bin/env bash
# What the image is made by. Run by the Dockerfile beside it, and by tests/bare_root.sh where there is no registry.
#
#   steps.sh package DIR   builds the Debian package into DIR; in the source tree, its packages installed
#   steps.sh runtime DIR   makes a bare Debian one that runs it: installs the package in DIR with its libraries
set -euo pipefail

package() {
  local into=$1
  cd "$(dirname "${BASH_SOURCE[0]}")/../.."
  # Without it the package would name no library, and cpack would not mind.
  command -v dpkg-shlibdeps >/dev/null || {
    echo 'error: dpkg-shlibdeps is missing: deploy/install-packages.sh deploy/debian/packages.txt' >&2
    exit 1
  }
  cmake --preset release -DLLM_ROUTER_TESTS=OFF
  cmake --build build/release --target llm-router
  mkdir -p "$into"
  cpack -G DEB --config build/release/CPackConfig.cmake -B "$into"
  rm -r "$into/_CPack_Packages"
}

runtime() {
  local from=$1
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$from"/llm-router_*.deb
  # An anonymous volume is made with this folder's owner.
  install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/llm-router
  apt-get clean
  rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log
}

case ${1:-} in
  package | runtime)
    (($# == 2)) || {
      echo "usage: $0 package|runtime DIR" >&2
      exit 2
    }
    "$1" "$2"
    ;;
  *)
    echo "usage: $0 package|runtime DIR" >&2
    exit 2
    ;;
esac
