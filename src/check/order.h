// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the detector of races (memory/detector.h) is told, and what becomes of a race.
#pragma once

#include <cstddef>

#include "check/engine.h"
#include "check/memory/detector.h"

namespace thrum::check {

extern constinit Detector detector;

/// Once, with the memory that the detector lives in.
void order_prepare() noexcept;
/// A new execution begins.
void order_begin() noexcept;
inline void order_at_step(std::uint32_t step) noexcept { detector.at_step(step); }

inline void order_at_thread(std::uint8_t thread) noexcept { detector.at_thread(thread); }

// With one thread there is nothing to order.
inline void acquired(const void* object, Pc pc) noexcept {
  if (engine.started) detector.acquire(self().id, object, pc);
}
inline void released(const void* object, Pc pc) noexcept {
  if (engine.started) detector.release(self().id, object, pc);
}

/// Records the stack of an access, if it is the one whose stack is wanted. Before the access.
void watch_access(const void* address, std::size_t size, Pc pc) noexcept;
inline void watched(const void* address, std::size_t size, Pc pc) noexcept {
  if (engine.shared->job.watches) [[unlikely]]
    watch_access(address, size, pc);
}

/// A plain access of the program, at a point where threads may switch if it is one.
void plain_access(const void* address, std::size_t size, bool writes, Pc pc) noexcept;
/// Ends the execution if races are findings; else threads may switch at both places from now on.
void judge_race(const Race& race) noexcept;
inline void judged(const Race* race) noexcept {
  if (race != nullptr) [[unlikely]]
    judge_race(*race);
}

}  // namespace thrum::check
