// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The observed process as a whole: its start, its forks, how its threads are seen to end.
#pragma once

#include <cstdint>

namespace thrum::watch {

/// Returns the index of this process's entry.
std::uint32_t this_process() noexcept;

/// Has the end of the calling thread written when its last destructor runs.
void arm_thread_end() noexcept;

/// Returns the size of a stack that nobody asked for.
std::uint64_t usual_stack_bytes() noexcept;

/// Has the thread that dies of a signal named, where the program does not look itself.
void watch_fatal_signals() noexcept;

/// Finds the shared memory if nobody did: a door may be used before the constructor runs.
void begin_process() noexcept;

}  // namespace thrum::watch
