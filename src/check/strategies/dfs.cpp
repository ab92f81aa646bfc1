// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Depth-first search: each execution repeats the decisions of the last one but for the deepest that
// had an alternative left. With a bound, only executions with so many preemptions (Musuvathi,
// Qadeer, PLDI 2007). The path outlives the execution, so it is in the shared mapping.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

struct State {
  std::uint32_t at;
  std::uint32_t preemptions;
};
constinit State state{};

void begin() noexcept { state = {}; }

// Returns which of `count` alternatives this execution takes here.
std::uint32_t alternative(std::uint32_t count, bool is_choice) noexcept {
  Shared& shared = *engine.shared;
  if (state.at >= kEvents) return 0;
  Node& node = shared.node[state.at];
  if (state.at++ < shared.depth) {
    if (node.count == count && node.is_choice == is_choice) return node.chosen;
    // The program did something else than before the same decisions.
    if (shared.result.diverged_at == 0) shared.result.diverged_at = shared.result.steps + 1;
    return 0;
  }
  node = {0, static_cast<std::uint8_t>(count), is_choice};
  shared.depth = state.at;
  return 0;
}

Thread* next(const Candidates& candidates) noexcept {
  const bool could_stay = candidates.usual == candidates.current;
  const std::uint32_t most = engine.shared->job.most_preemptions;
  if (could_stay && most != kAnyNumber && state.preemptions >= most) return candidates.usual;
  std::uint32_t chosen = alternative(candidates.count, false);
  if (chosen == 0) return candidates.usual;
  if (could_stay) ++state.preemptions;
  for (std::uint32_t i = 0; i < candidates.count; ++i) {  // the others, in order
    if (candidates.thread[i] != candidates.usual && --chosen == 0) return candidates.thread[i];
  }
  return candidates.usual;
}

std::uint32_t decide(std::uint32_t n) noexcept { return alternative(n, true); }

}  // namespace

constinit const Strategy kDfs{begin, next, decide};

bool advance_dfs() noexcept {
  Shared& shared = *engine.shared;
  while (shared.depth > 0) {
    Node& last = shared.node[shared.depth - 1];
    if (last.chosen + 1 < last.count) {
      ++last.chosen;
      return true;
    }
    --shared.depth;
  }
  return false;
}

}  // namespace thrum::check
