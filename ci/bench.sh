#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# bench.sh [--quick] [ARGUMENT...]: installs the peers, measures, writes the results to bench/results,
# and makes docs/performance.md from them. For a quiet machine. --quick: shorter rounds, some ten
# minutes. Arguments are those of thrum_bench; with any, only what they say is measured again.
source "$(dirname "$0")/common.sh"

long=()
if [[ ${1-} == --quick ]]; then
  shift
  long+=(--seconds 0.1)
fi

ci/setup.sh libabsl-dev libboost-chrono-dev libboost-dev libboost-thread-dev libconcurrentqueue-dev \
  libmimalloc2.0 libnsync-dev libtbb-dev python3-matplotlib valgrind
cmake --preset release >&2  # peers may have come since
ci/build.sh release thrum_bench
for language in rust go; do
  ci/build.sh release "thrum_bench_$language" || log "bench: without peers in $language"
done
build/release/bin/thrum_bench --json bench/results "${long[@]}" "$@"

if (($# == 0)); then
  bench/compare.py 0002-fairness "${long[@]}"
  # What a queue of strings costs is mostly malloc: once more with another one.
  again=$(mktemp --directory)
  LD_PRELOAD=libmimalloc.so.2.0 build/release/bin/thrum_bench --json "$again" "${long[@]}" 'queue/?:?/*tr*'
  for machine in "$again"/*; do
    mkdir -p "bench/results/${machine##*/}/mimalloc"
    mv "$machine/queue.json" "bench/results/${machine##*/}/mimalloc/"
  done
  rm -r "$again"
  bench/instructions.py
fi
exec /usr/bin/python3 bench/report.py  # the one that has matplotlib
