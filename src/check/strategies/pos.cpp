// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Partial order sampling (Yuan, Yang, Gu, CAV 2018): each pending operation has a random priority,
// which is drawn again when an operation that it races with was performed. So it samples orders of
// operations that matter to each other, not orders of steps.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

bool overlap(const void* a, const void* b) noexcept {
  const auto both = reinterpret_cast<std::uintptr_t>(a) ^ reinterpret_cast<std::uintptr_t>(b);
  return static_cast<int>(a != nullptr) & static_cast<int>(both < 8);
}

// Without jumps: most threads are at different objects, but which are not nobody can foresee.
bool race(const Thread& a, const Thread& b) noexcept {
  const bool ends = (a.op == Op::process_end) | (b.op == Op::process_end);
  const bool meet = overlap(a.with, b.object) | overlap(a.object, b.with);
  return ends | meet | (overlap(a.object, b.object) & (writes(a.op) | writes(b.op)));
}

void begin() noexcept {}

Thread* next(const Candidates& candidates) noexcept {
  Thread* const best = highest(candidates);
  for (std::uint32_t i = 0; i < candidates.count; ++i) {
    Thread& other = *candidates.thread[i];
    if (&other != best && race(other, *best)) other.priority = random_number();
  }
  best->priority = random_number();  // of its next operation
  return best;
}

}  // namespace

constinit const Strategy kPos{begin, next, decide_at_random};

}  // namespace thrum::check
