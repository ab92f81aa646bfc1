#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# fuzz.sh [SECONDS]: fuzzes what thrum watch reads and did not write itself, recordings and shared
# memory, for so long in all (600). What it finds is left in build/fuzz/found; a new input worth
# keeping goes to tests/watch/corpus, where the tests replay it.
source "$(dirname "$0")/common.sh"

seconds=${1:-600}
ci/build.sh fuzz watch_fuzz_recording watch_fuzz_shared
mkdir -p build/fuzz/found
for what in recording shared; do
  log "fuzzing: $what"
  mkdir -p "build/fuzz/corpus/$what"
  build/fuzz/tests/watch/watch_fuzz_$what -max_total_time=$((seconds / 2)) -timeout=20 \
    -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$what-" \
    "build/fuzz/corpus/$what" "tests/watch/corpus/$what"
done
