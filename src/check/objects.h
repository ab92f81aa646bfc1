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
bool is_possible(const Thread& thread) noexcept;

/// Says what every thread waits for, and ends the execution.
[[noreturn]] void finish_stuck(Outcome outcome) noexcept;

/// Returns the object's number, by first use in this execution; 0 for none.
std::uint32_t object_number(const void* address) noexcept;
void forget_objects() noexcept;

/// A mutex's holder, as glibc keeps it, is a thread's number and 1.
inline int holder_mark(const Thread& thread) noexcept { return thread.id + 1; }

}  // namespace thrum::check
