// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a thread can wait for. The state of a lock is in the program's own object, in glibc's
// fields: then static initialisers, destruction and reuse of memory need nothing from us.
#pragma once

#include <semaphore.h>

#include "check/engine.h"

namespace thrum::check {

/// Can the thread's pending operation be performed now?
bool is_possible_at_length(const Thread& thread) noexcept;
inline bool is_possible(const Thread& thread) noexcept {
  return thread.gate != nullptr ? *thread.gate == 0 : is_possible_at_length(thread);
}

/// Where an operation is possible at any time, or never.
inline constexpr std::int32_t kOpen = 0, kShut = 1;

/// Sets the gate of a thread by what it has published. Whoever changes that in its place sets the
/// gate to null.
inline void set_gate(Thread& thread) noexcept {
  constexpr std::uint64_t kAsked =
      set_of(Op::relock, Op::semaphore_wait, Op::spin_lock, Op::read_lock, Op::write_lock,
             Op::condition_blocked, Op::futex_blocked, Op::barrier_blocked, Op::once_blocked,
             Op::signal_wait);
  if (thread.op == Op::lock) {
    const auto& data = static_cast<const pthread_mutex_t*>(thread.object)->__data;
    // Of the other kinds a holder finds out at once: another level, or an error.
    const int kind = data.__kind & 3;
    const bool is_plain = kind != PTHREAD_MUTEX_RECURSIVE_NP && kind != PTHREAD_MUTEX_ERRORCHECK_NP;
    thread.gate = is_plain ? &data.__owner : nullptr;
  } else if (thread.op == Op::join) {
    thread.gate = &thread.target->runs;
  } else {
    thread.gate = is_in(kAsked, thread.op) ? nullptr : &kOpen;
  }
}

/// Says what every thread waits for, and ends the execution.
[[noreturn]] void finish_stuck(Outcome outcome) noexcept;

void forget_objects() noexcept;

// Numbers by address: a hash table.
struct ObjectNumber {
  const void* address;
  std::uint32_t number;
};
inline constexpr std::uint32_t kObjectNumbers = 1U << 14;
extern constinit ObjectNumber object_numbers[kObjectNumbers];
std::uint32_t find_object_number(const void* address) noexcept;
inline std::uint64_t object_slot(const void* address) noexcept {
  return (reinterpret_cast<std::uintptr_t>(address) >> 2) * kGolden >> 50;
}
/// Returns the object's number, by first use in this execution; 0 for none.
inline std::uint32_t object_number(const void* address) noexcept {
  if (address == nullptr) return 0;
  const ObjectNumber& first = object_numbers[object_slot(address)];
  return first.address == address ? first.number : find_object_number(address);
}

/// A mutex's holder, as glibc keeps it, is a thread's number and 1.
inline int holder_mark(const Thread& thread) noexcept { return thread.id + 1; }

}  // namespace thrum::check
