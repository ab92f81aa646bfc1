#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Every check. What fails fastest comes first; ctest's summary of the full default run comes last.
source "$(dirname "$0")/common.sh"

ci/lint.sh
ci/compilers.sh
ci/sanitize.sh
ci/valgrind.sh
ci/build.sh default
exec ctest --preset all
