// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Threads of the program as fibers. Each runs on the stack and with the thread pointer of a
// *donor*: a real thread that was created for that and sleeps for good. So thread_local, errno,
// pthread_self(), keys and the exceptions being handled are each thread's own, although only one
// kernel thread runs.
//
// Donors are created before the first execution; thread n always gets donor n, at the same address
// in every process, so that what depends on pthread_self() repeats itself.
#pragma once

#include "check/engine.h"

extern "C" __attribute__((visibility("hidden"))) void thrum_switch(void** from, void* to,
                                                                   std::uint64_t thread_pointer);

namespace thrum::check {

/// A switch is no more than that: the processor lets us set the thread pointer, and the threads
/// have no system threads of their own.
extern constinit bool switches_in_short;

/// Makes sure that threads 1 to `count` have donors. Returns false if the system refuses.
bool prepare_donors(std::uint32_t count) noexcept;
std::uint32_t donors() noexcept;
/// What of a donor's memory belongs to the program: its thread_locals and glibc's record of it.
struct Range {
  char* begin;
  char* end;
};
Range donor_state(std::uint32_t index) noexcept;
/// All of the memory of all donors.
Range donor_memory() noexcept;

/// From now on each thread runs on the real thread that would be its donor, and switches pass the
/// turn from one to the other: slower, but a debugger sees threads. The same executions otherwise.
/// Donors from `needed` on end: a debugger shows none that is no thread of the program.
void use_own_threads(std::uint32_t needed) noexcept;
bool own_threads() noexcept;

/// Gives the thread a fiber that begins with `entry(thread)`.
void make_fiber(Thread& thread, void (*entry)(Thread*)) noexcept;
/// Leaves `from` where it is and goes on with `to`.
void switch_fiber_at_length(Thread& from, Thread& to) noexcept;
inline void switch_fiber(Thread& from, Thread& to) noexcept {
  if (switches_in_short) [[likely]] {  // whoever goes on returns once less, to where nobody foresaw
    thrum_switch(&from.stack_pointer, to.stack_pointer, to.thread_pointer);
  } else {
    switch_fiber_at_length(from, to);
  }
}

/// Puts a context onto a stack that ends at `top`; it begins with `entry(argument)`.
void* make_context(char* top, void (*entry)(void*), void* argument) noexcept;
/// Saves the context to `from`, goes on with `to`, with this thread pointer unless it is 0.
void switch_context(void** from, void* to, std::uint64_t thread_pointer) noexcept;

/// Returns how many return addresses of the calling stack it wrote, the runtime's own left out.
std::uint32_t take_stack(std::uint64_t* stack, std::uint32_t most) noexcept;
/// Unwinds the calling fiber to its first frame, running destructors, and jumps to its end_jump.
[[noreturn]] void unwind_thread() noexcept;

}  // namespace thrum::check
