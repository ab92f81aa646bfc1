// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The clock of events: the processor's, where it runs at one speed; else the kernel's.
#pragma once

#include <cstdint>
#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "trace/shared.h"

namespace thrum::trace {

inline std::uint64_t monotonic_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

inline std::uint64_t ticks(Clock clock) noexcept {
#if defined(__x86_64__)
  if (clock == Clock::tsc) [[likely]]
    return __rdtsc();
#endif
  (void)clock;
  return monotonic_ns();
}

}  // namespace thrum::trace
