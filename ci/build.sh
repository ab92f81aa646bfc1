#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# build.sh PRESET [TARGET...]: configures once, builds what changed. Chatter goes to stderr.
source "$(dirname "$0")/common.sh"

preset=$1
shift

build() { cmake --build --preset "$preset" ${1:+--target "$@"}; }

if [[ ! -f build/$preset/build.ninja ]]; then
  log "building $preset for the first time"
  cmake --preset "$preset" >&2
  build "$@" >&2
else
  # Nothing to say about having nothing to do.
  build "$@" 2>&1 | { grep -vE '^(ninja: no work to do|\[0/[0-9]+\] Re-checking globbed)' || true; } >&2
fi
