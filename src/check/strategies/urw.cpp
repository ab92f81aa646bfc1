// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Uniform random walk (Zhao et al., SURW, ASPLOS 2025, without its selection): a thread is as
// likely as it has steps left, by what earlier executions took. A plain random walk prefers
// interleavings in which short threads end early; this one is close to uniform over all of them.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

void begin() noexcept {}

Thread* next(const Candidates& candidates) noexcept {
  std::uint64_t left[kThreads];
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < candidates.count; ++i) {
    const Thread& thread = *candidates.thread[i];
    const std::uint32_t expected = engine.shared->estimates.steps[thread.id];
    left[i] = expected > thread.steps ? expected - thread.steps : 1;
    total += left[i];
  }
  std::uint64_t at = random_number() % total;
  std::uint32_t i = 0;
  while (at >= left[i]) at -= left[i++];
  return candidates.thread[i];
}

}  // namespace

constinit const Strategy kUrw{begin, next, decide_at_random};

}  // namespace thrum::check
