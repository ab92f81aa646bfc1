#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# The unit tests under memcheck. Whole programs at once: valgrind takes seconds to start.
source "$(dirname "$0")/common.sh"

ci/build.sh default
for program in build/default/tests/bin/unit/*_test; do
  log "valgrind: $program"
  # Its threads take turns; without --fair-sched one that spins can keep the turn for long.
  timeout 600 valgrind --quiet --fair-sched=yes --leak-check=full --error-exitcode=1 \
    "$program" --gtest_brief=1
done
