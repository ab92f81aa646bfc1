#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Installs what is missing: `setup.sh` to build and test, `setup.sh --all` for every check as well,
# `setup.sh PACKAGE...` to build and test, and these.
# Debian 12 packages only. Touches nothing, and needs no rights, when all is there.
source "$(dirname "$0")/common.sh"

packages=(
  git g++ cmake ninja-build pkg-config python3
  libgtest-dev libcli11-dev libfmt-dev nlohmann-json3-dev libssl-dev
  libdw-dev libelf-dev zlib1g-dev libprotozero-dev libncurses-dev
)
if [[ ${1-} == --all ]]; then
  packages+=(
    clang-14 clang-19 libclang-rt-14-dev libclang-rt-19-dev clang-format-19 clang-tidy-14
    valgrind gdb tmux chromium
  )
else
  packages+=("$@")
fi

command -v apt-get >/dev/null || die "setup: this needs a Debian-like system (apt-get)"

installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${packages[@]}" \
  2>/dev/null | sed -n 's/^installed //p' || true)
missing=()
for package in "${packages[@]}"; do
  grep --quiet --line-regexp --fixed-strings -e "$package" <<<"$installed" || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || die "setup: not root, and no sudo, to install: ${missing[*]}"
  as_root=(sudo)
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes -o Dpkg::Use-Pty=0 \
    -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@" >&2
}

log "setup: installing ${missing[*]}"
apt update
apt install --no-install-recommends "${missing[@]}"
