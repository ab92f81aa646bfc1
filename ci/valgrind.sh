#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# The unit tests under memcheck, many at once: valgrind takes seconds to start.
source "$(dirname "$0")/common.sh"

ci/build.sh default

# Their threads take turns; without --fair-sched one that spins can keep the turn for long.
# A pointer into a block, as to what make_shared made, keeps it.
# Some tests replace operator new: it must stay replaced.
# The child of a fork says nothing: it seems to leak what the parent's threads hold.
# A thread that computes is blocked while another has the turn, and the kernel says so: the one test
# that is about exactly this is not for here.
memcheck() {  # PROGRAM PART
  GTEST_SHARD_INDEX=$2 timeout 1200 valgrind --quiet --fair-sched=yes --error-exitcode=1 \
    --suppressions=ci/valgrind.supp --child-silent-after-fork=yes \
    --soname-synonyms=somalloc=nouserintercepts \
    --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    "$1" --gtest_brief=1
}
export -f memcheck
export GTEST_TOTAL_SHARDS=6 GTEST_FILTER=-State.IsRunningOrReadyWhileItComputes

programs=(build/default/tests/bin/unit/*_test)
log "valgrind: ${programs[*]##*/}, each in $GTEST_TOTAL_SHARDS parts"
for program in "${programs[@]}"; do
  for ((part = 0; part < GTEST_TOTAL_SHARDS; ++part)); do
    printf '%s\0' "$program" "$part"
  done
done | xargs --null --max-args=2 --max-procs="$CTEST_PARALLEL_LEVEL" bash -c 'memcheck "$@"' memcheck
