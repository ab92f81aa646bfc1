// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Signals that the program sends to itself. The kernel never sees them: they wait here for a thread
// that takes them (sigwait and the like), or run their handler where threads may switch.
#pragma once

#include <csignal>
#include <cstdint>

#include "check/engine.h"

namespace thrum::check {

inline constexpr int kSignals = 64;
constexpr std::uint64_t signal_bit(int signal) noexcept { return std::uint64_t{1} << (signal - 1); }
inline constexpr std::uint64_t kFaults =
    signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGFPE) | signal_bit(SIGILL);
inline constexpr std::uint64_t kNotMaskable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);

struct SignalValue {
  int code;  // si_code: how it was sent
  sigval value;
};

/// Makes the table of handlers and of what is on its way: before the first execution, which could
/// not be put back without.
void prepare_signals() noexcept;
/// Sends it to the thread, or to any if that is null. Returns an error number.
int send_signal(int signal, Thread* to, SignalValue value, Pc pc) noexcept;
/// Takes one of the set. Returns 0 if it is time, -1 if a handler has run or the thread is
/// cancelled. With an empty set it waits for a handler.
int wait_for_signal(std::uint64_t set, siginfo_t* info, std::int64_t deadline, Pc pc) noexcept;
struct Handled {
  unsigned count;  // so many handlers have run
  bool breaks;     // one of them without SA_RESTART
};
/// Runs the handlers of what has come to this thread, and is not masked.
Handled run_signal_handlers(Pc pc) noexcept;
/// Changes the mask of this thread, and runs what that lets through.
void set_signal_mask(std::uint64_t mask, Pc pc) noexcept;
/// Returns those on their way to the thread, by bits.
std::uint64_t signals_for(const Thread& thread) noexcept;
/// The program's own handler, as sigaction says it; null if only the kernel knows.
const struct sigaction* signal_action(int signal) noexcept;
void set_signal_action(int signal, const struct sigaction& action) noexcept;

}  // namespace thrum::check
