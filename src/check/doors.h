// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the doors share: libc behind them, and virtual time.
#pragma once

#include <cerrno>
#include <ctime>

#include "check/engine.h"
#include "check/objects.h"
#include "check/order.h"
#include "interpose/real.h"

namespace thrum::check {

/// Returns libc's functions, for a program that is not under control.
inline const interpose::Real& libc() noexcept {
  interpose::resolve();
  return interpose::real;
}

inline constexpr std::int64_t kSecond = 1'000'000'000;

inline bool is_time(const timespec* time) noexcept {
  return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < kSecond;
}
/// Returns a span of time in nanoseconds; kNever if it is longer than those can say.
inline std::int64_t to_ns(const timespec& time) noexcept {
  if (time.tv_sec >= kNever / kSecond) return kNever;
  return time.tv_sec * kSecond + time.tv_nsec;
}
inline timespec to_time(std::int64_t ns) noexcept {
  return {static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
}
/// Returns what the clock shows at a virtual time of 0.
inline std::int64_t clock_start_ns(clockid_t clock) noexcept {
  const bool is_wall =
      clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
  return (is_wall ? 1'700'000'000 : 100'000) * kSecond;
}
/// Returns the virtual time at which the clock shows `until`.
inline std::int64_t deadline_at(const timespec& until, clockid_t clock) noexcept {
  const std::int64_t ns = to_ns(until);
  return ns == kNever ? kNever : ns - clock_start_ns(clock);
}
inline std::int64_t deadline_in(const timespec& time) noexcept {
  const std::int64_t ns = to_ns(time);
  return ns >= kNever - engine.run.now_ns ? kNever : engine.run.now_ns + ns;
}

/// Takes and frees a mutex whose turn it is, all levels of it; without a scheduling point.
void take(pthread_mutex_t& mutex, std::uint32_t levels, Pc pc) noexcept;
std::uint32_t give(pthread_mutex_t& mutex, Pc pc) noexcept;
bool is_held_by_me(const pthread_mutex_t& mutex) noexcept;

// What the calls of pthread and of C11 share; `pc` is where the program makes the call.
int lock(pthread_mutex_t* mutex, Pc pc, std::int64_t deadline) noexcept;
int try_lock(pthread_mutex_t* mutex, Pc pc) noexcept;
int unlock(pthread_mutex_t* mutex, Pc pc) noexcept;
int wait(pthread_cond_t* condition, pthread_mutex_t* mutex, Pc pc, std::int64_t deadline) noexcept;
int notify(pthread_cond_t* condition, bool all, Pc pc) noexcept;
int create(pthread_t* handle, const pthread_attr_t* attributes, void* (*function)(void*),
           void* argument, Pc pc) noexcept;
int join(pthread_t handle, void** result, Pc pc, std::int64_t deadline) noexcept;
int detach(pthread_t handle) noexcept;
void call_once(pthread_once_t* once, void (*function)(), Pc pc);
void yield(Pc pc) noexcept;
/// Returns what is left of the time, in nanoseconds; kRested if no handler ended it.
inline constexpr std::int64_t kRested = -1;
std::int64_t sleep_until(std::int64_t deadline, Pc pc);
timespec shown(clockid_t clock) noexcept;

/// Gives a new thread the mask of signals that its attributes say, or its maker's.
void begin_signal_mask(Thread& thread, const pthread_attr_t* attributes) noexcept;
/// Is it in a mapping that other processes may share?
bool is_common(const void* address) noexcept;
/// Before the first execution: what signals need.
void prepare_signal_doors() noexcept;
/// Returns the thread with this handle that has not been joined; null: none.
Thread* find_thread(pthread_t handle) noexcept;
/// Is the calling thread to end here, at a point of cancellation?
inline bool is_cancelled() noexcept { return self().cancel_asked && !self().cancel_disabled; }
/// Ends it, if so. To be called by doors alone: whatever is between it and the program is unwound.
void test_cancel();
/// Returns what a wait has returned, or not at all if it was cancelled. A wait that has got what it
/// waited for has not been, even if it is asked for by then: or that would be lost.
inline int unless_cancelled(int result) {
  if (self().cancelled) test_cancel();
  return result;
}
/// While one is alive, the thread's wait ends when somebody cancels it.
class Cancellable {
 public:
  Cancellable() noexcept { self().cancellable = true; }
  ~Cancellable() { self().cancellable = false; }
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;
};
/// Leaves the calling thread, as by pthread_exit.
[[noreturn]] void exit_thread(void* result) noexcept;
/// Runs the destructors of the calling thread's thread_locals and keys.
void run_thread_destructors() noexcept;
/// Before the first execution, and before the above.
void prepare_thread_ends() noexcept;
/// Makes the table of keys: before the first execution, which could not be put back without.
void prepare_keys() noexcept;
/// Reserves the memory for what the program maps.
void prepare_mappings() noexcept;

}  // namespace thrum::check
