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
  // What most threads are at, in short.
  switch (thread.op) {
    case Op::lock:
      if (static_cast<const pthread_mutex_t*>(thread.object)->__data.__owner == 0) return true;
      break;
    case Op::unlock:
    case Op::start:
    case Op::created:
    case Op::thread_end:
    case Op::atomic_load:
    case Op::atomic_store:
    case Op::atomic_rmw:
      return true;
    default:
      break;
  }
  return is_possible_at_length(thread);
}

/// Says what every thread waits for, and ends the execution.
[[noreturn]] void finish_stuck(Outcome outcome) noexcept;

/// Returns the object's number, by first use in this execution; 0 for none.
std::uint32_t object_number(const void* address) noexcept;
void forget_objects() noexcept;

/// A mutex's holder, as glibc keeps it, is a thread's number and 1.
inline int holder_mark(const Thread& thread) noexcept { return thread.id + 1; }

}  // namespace thrum::check
