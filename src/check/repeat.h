// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Executions in place: the process's memory is put back to what it was before the first one. Fifty
// times as fast as a fork per execution. What the kernel holds is not put back: a program that asks
// for some of it is run in forks.
#pragma once

#include <cstdint>

namespace thrum::check {

/// Once, before the first of the following.
void prepare_repeating() noexcept;
/// Why a function below returns: this process is to make an execution; the repeater has stopped,
/// and wants its last execution to be made again elsewhere; it has ended, with this wait status.
enum class Repeater : std::uint8_t { executes, asks, ended };
/// Forks a process that makes up to `most` executions from this number on, and asks now and then.
Repeater fork_repeater(std::uint64_t number, std::uint64_t most, int& status) noexcept;
/// What it asked for was right: it goes on.
Repeater resume_repeater(int& status) noexcept;
/// It was not.
Repeater end_repeater(int& status) noexcept;
/// Ends an execution in place.
[[noreturn]] void repeat_again() noexcept;

}  // namespace thrum::check
