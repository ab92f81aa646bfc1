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
/// Forks a process that makes up to `most` executions from this number on. Returns true in it, once
/// per execution; false in the caller when it has ended, with its wait status.
bool fork_repeater(std::uint64_t number, std::uint64_t most, int& status) noexcept;
/// Ends an execution in place.
[[noreturn]] void repeat_again() noexcept;

}  // namespace thrum::check
