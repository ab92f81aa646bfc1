#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# The unit tests under memcheck. Whole programs at once: valgrind takes seconds to start.
source "$(dirname "$0")/common.sh"

ci/build.sh default

# Their threads take turns; without --fair-sched one that spins can keep the turn for long.
# A pointer into a block, as to what make_shared made, keeps it.
# Some tests replace operator new: it must stay replaced.
# The child of a fork says nothing: it seems to leak what the parent's threads hold.
programs=(build/default/tests/bin/unit/*_test)
log "valgrind: ${programs[*]##*/}"
printf '%s\0' "${programs[@]}" | xargs --null --max-procs="$(nproc)" -I PROGRAM \
  timeout 1200 valgrind --quiet --fair-sched=yes --error-exitcode=1 \
    --suppressions=ci/valgrind.supp --child-silent-after-fork=yes \
    --soname-synonyms=somalloc=nouserintercepts \
    --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    PROGRAM --gtest_brief=1
