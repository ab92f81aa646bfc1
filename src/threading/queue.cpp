// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The parts of the queues that no item's type changes. Edges: see event_count.h and task_count.h.
#include "thrum/event_count.h"
#include "thrum/task_count.h"

namespace thrum {

bool EventCount::announce_slow() noexcept {
  if ((state_.fetch_or(kWaking, std::memory_order_seq_cst) & kWaking) != 0) {  // [sleepers]
    return false;
  }
  epoch_.fetch_add(1, std::memory_order_seq_cst);  // [sleepers]
  return true;
}

void EventCount::wake_all() noexcept {
  epoch_.fetch_add(1, std::memory_order_seq_cst);  // [sleepers]
  thrum::wake(&epoch_, kEveryone);
}

std::uint32_t EventCount::enter() noexcept {
  state_.fetch_add(1, std::memory_order_seq_cst);                      // [sleepers]
  const std::uint32_t epoch = epoch_.load(std::memory_order_seq_cst);  // [sleepers]
  state_.fetch_and(~kWaking, std::memory_order_seq_cst);               // [sleepers]
  return epoch;
}

void EventCount::leave() noexcept {
  state_.fetch_sub(1, std::memory_order_seq_cst);         // [sleepers]
  state_.fetch_and(~kWaking, std::memory_order_seq_cst);  // [sleepers]
}

std::uint32_t TaskCount::arm() noexcept {
  const std::uint32_t epoch = epoch_.load(std::memory_order_relaxed);  // the next line orders it
  std::uint64_t state = state_.load(std::memory_order_relaxed);
  std::uint64_t armed = 0;
  do {
    armed = (state & ~kJoiners) | ((state & kJoiners) % (kOne - 1) + 1);
  } while (!state_.compare_exchange_weak(state, armed, std::memory_order_acq_rel,  // [finish]
                                         std::memory_order_relaxed));
  return epoch;
}

}  // namespace thrum
