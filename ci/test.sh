#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# test.sh PRESET [CTEST ARGUMENT...]: builds the preset and runs its tests.
source "$(dirname "$0")/common.sh"

preset=$1
shift

ci/build.sh "$preset"
exec ctest --preset "$preset" "$@"
