// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Partial order sampling (Yuan, Yang, Gu, CAV 2018): each pending operation has a random priority,
// which is drawn again when an operation that it races with was performed. So it samples orders of
// operations that matter to each other, not orders of steps.
#include "check/strategies/strategy.h"

namespace thrum::check {
namespace {

unsigned as_bit(bool is) noexcept { return is ? 1 : 0; }

unsigned overlap(const void* a, const void* b) noexcept {
  const auto both = reinterpret_cast<std::uintptr_t>(a) ^ reinterpret_cast<std::uintptr_t>(b);
  return as_bit(a != nullptr) & as_bit(both < 8);
}

// Without jumps: most threads are at different objects, but which are not nobody can foresee.
bool race(const Thread& a, const Thread& b) noexcept {
  const unsigned ends = as_bit(a.op == Op::process_end) | as_bit(b.op == Op::process_end);
  const unsigned meet = overlap(a.with, b.object) | overlap(a.object, b.with);
  const unsigned write = as_bit(writes(a.op)) | as_bit(writes(b.op));
  return (ends | meet | (overlap(a.object, b.object) & write)) != 0;
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
