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
  return a != nullptr &&
         reinterpret_cast<std::uintptr_t>(a) >> 3 == reinterpret_cast<std::uintptr_t>(b) >> 3;
}

bool race(const Thread& a, const Thread& b) noexcept {
  if (a.op == Op::process_end || b.op == Op::process_end) return true;
  if (overlap(a.with, b.object) || overlap(a.object, b.with)) return true;
  return overlap(a.object, b.object) && (writes(a.op) || writes(b.op));
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
