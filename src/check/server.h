// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The checked process runs by itself up to its first thread; there it becomes a server that forks a
// process for each execution, or one that repeats executions in place (repeat.h).
#pragma once

#include <cstdint>

#include "check/engine.h"

namespace thrum::check {

inline constexpr std::uint32_t kDonorsAtFirst = 16;

/// Takes over, if the controller started this process. Before the program's constructors.
void take_control() noexcept;
/// Serves the controller; returns in a process that makes an execution, once per execution.
void serve(std::uint32_t donors) noexcept;
/// Catches the signals of faults.
void watch_crashes() noexcept;
/// Is it still so, or has the program handlers of its own?
bool are_crashes_watched() noexcept;
/// Unblocks the signals of faults, if the program has blocked them.
void let_faults_through() noexcept;
/// Ends the process whose result is written.
[[noreturn]] void server_process_ends() noexcept;
/// The program ends with this status: runs its destructors, judges what is left over, ends.
[[noreturn]] void end_process(int status) noexcept;

}  // namespace thrum::check
