// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a platform provides. wait_linux.cpp asks the kernel; wait_portable.cpp does it with the
// standard library; wake() and requeue() of wait.h complete each.
#pragma once

#include <cstdint>

#include "thrum/wait.h"

namespace thrum::waist {

/// Sleeps while `word == expected`, as wait() promises; the deadline is not `nonblocking`.
Wake sleep(const Word& word, std::uint32_t expected, const Deadline& deadline) noexcept;

/// Never returns. For threads that outlive the process's end.
[[noreturn]] void park_for_good() noexcept;

/// Returns the kernel's id of the calling thread; never 0, below 2^30.
std::uint32_t native_id() noexcept;

/// Makes barrier() work from now on. Returns whether it does.
bool arm_barrier() noexcept;
/// Returns after every thread of the process has gone through a full memory barrier; false if there
/// is no such call.
bool barrier() noexcept;

/// Called around a fork: nobody falls asleep or wakes in between, and the child knows no sleepers.
void before_fork() noexcept;
enum class Side : std::uint8_t { parent, child };
void after_fork(Side side) noexcept;

}  // namespace thrum::waist
