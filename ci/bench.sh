#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# bench.sh [ARGUMENT...]: installs the peers, measures, writes the results to bench/results, and
# makes docs/performance.md from them. For a quiet machine. Arguments are those of thrum_bench;
# `--quick` first: all of it in shorter rounds, some ten minutes.
source "$(dirname "$0")/common.sh"

decisions=()  # what else goals are about
if [[ ${1-} == --quick ]]; then
  shift
  set -- --seconds 0.1 "$@"
  decisions+=(--seconds 0.1)
fi

ci/setup.sh libabsl-dev libboost-chrono-dev libboost-dev libboost-thread-dev libconcurrentqueue-dev \
  libnsync-dev libtbb-dev python3-matplotlib
cmake --preset release >&2  # peers may have come since
ci/build.sh release thrum_bench
for language in rust go; do
  ci/build.sh release "thrum_bench_$language" || log "bench: without peers in $language"
done
build/release/bin/thrum_bench --json bench/results "$@"
bench/compare.py 0002-fairness "${decisions[@]}"
exec /usr/bin/python3 bench/report.py  # the one that has matplotlib
