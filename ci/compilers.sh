#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Everything compiles without a warning and works elsewhere: with the oldest clang, unoptimised and
# under clang-tidy; with the newest clang, without futexes (the tools with that clang: preset asan).
# The default preset is gcc.
source "$(dirname "$0")/common.sh"

for preset in tidy portable; do
  ci/test.sh "$preset"
done
