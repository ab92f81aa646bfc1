// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): threads have random
// priorities, the highest runs, and at d - 1 random places whoever runs falls behind all others. A
// bug that needs d ordered events is found with probability at least 1 / (n k^(d-1)).
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

constexpr std::uint32_t kDeepest = 8;

struct State {
  std::uint32_t places;
  std::uint32_t place[kDeepest];
  std::uint64_t lowest;  // the next priority below all others
};
constinit State state{};

void begin() noexcept {
  const Shared& shared = *engine.shared;
  static constexpr std::uint32_t kDepths[] = {2, 3, 5};
  std::uint32_t depth = shared.job.depth != 0 ? shared.job.depth : kDepths[random_number() % 3];
  if (depth > kDeepest) depth = kDeepest;
  state.places = depth - 1;
  const std::uint32_t length = shared.estimates.decisions < 2 ? 2 : shared.estimates.decisions;
  for (std::uint32_t i = 0; i < state.places; ++i) {
    state.place[i] = static_cast<std::uint32_t>(random_number() % length);
  }
  state.lowest = 1U << 30;  // all that threads begin with is above
}

Thread* next(const Candidates& candidates) noexcept {
  // Strict priorities starve whoever a spinning thread waits for.
  Thread& current = *candidates.current;
  if (current.yielded || current.spinning) current.priority = --state.lowest;
  if (candidates.all_spin) return least_recent(candidates);
  Thread* best = highest(candidates);
  for (std::uint32_t i = 0; i < state.places; ++i) {
    if (state.place[i] == engine.shared->result.decisions) {
      best->priority = --state.lowest;
      best = highest(candidates);
    }
  }
  return best;
}

}  // namespace

constinit const Strategy kPct{begin, next, decide_at_random};

}  // namespace thrum::check
