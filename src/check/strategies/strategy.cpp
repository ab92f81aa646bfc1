// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The rotation: what runs when nobody asks for a strategy.
#include "check/strategies/strategy.h"

namespace thrum::check {

StrategyId strategy_for(const Job& job, std::uint64_t number) noexcept {
  if (job.strategy != StrategyId::rotation) return job.strategy;
  // In small slices, so that each has its turn in a short campaign too.
  using enum StrategyId;
  static constexpr StrategyId kTurns[] = {urw, pos, pct,    surw, rff, pct,
                                          pos, urw, random, surw, pct, rff};
  return kTurns[number / 16 % (sizeof kTurns / sizeof kTurns[0])];
}

// In the order of StrategyId.
constinit const Strategy* const kStrategy[kStrategies] = {&kRandom, &kRandom, &kPct, &kPos,   &kUrw,
                                                          &kSurw,   &kRff,    &kDfs, &kReplay};

void learn() noexcept {
  const StrategyId id = engine.shared->result.strategy;
  if (id == StrategyId::surw) take_census();
  if (id == StrategyId::rff) take_feedback();
}

Thread* least_recent(const Candidates& candidates) noexcept {
  Thread* found = candidates.thread[0];
  for (std::uint32_t i = 1; i < candidates.count; ++i) {
    if (candidates.thread[i]->last_run < found->last_run) found = candidates.thread[i];
  }
  return found;
}

}  // namespace thrum::check
