// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Follows a given schedule: the default policy, but for the switches and choices listed.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

struct State {
  std::uint32_t at;
};
constinit State state{};

void begin() noexcept { state = {}; }

void diverged() noexcept {
  Result& result = engine.shared->result;
  if (result.diverged_at == 0) result.diverged_at = result.steps + 1;
}

Thread* next(const Candidates& candidates) noexcept {
  const Schedule& wanted = engine.shared->wanted;
  const Thread& current = *candidates.current;
  for (std::uint32_t i = state.at; i < wanted.switches; ++i) {
    const Switch& at = wanted.moves[i];
    if (at.thread != current.id || at.step != current.steps) continue;
    state.at = i + 1;
    for (std::uint32_t k = 0; k < candidates.count; ++k) {
      if (candidates.thread[k]->id == at.to) return candidates.thread[k];
    }
    diverged();
    break;
  }
  return candidates.usual;
}

std::uint32_t decide(std::uint32_t n) noexcept {
  const Schedule& wanted = engine.shared->wanted;
  for (std::uint32_t i = 0; i < wanted.choices; ++i) {
    const Choice& choice = wanted.choice[i];
    if (choice.thread != self().id || choice.index != self().choices) continue;
    if (choice.value < n) return choice.value;
    diverged();
  }
  return 0;
}

}  // namespace

constinit const Strategy kReplay{begin, next, decide};

}  // namespace thrum::check
