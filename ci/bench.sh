#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# bench.sh [ARGUMENT...]: measures, and writes the result to bench/results. For a quiet machine.
source "$(dirname "$0")/common.sh"

ci/build.sh release thrum_bench
exec build/release/bin/thrum_bench --json bench/results "$@"
