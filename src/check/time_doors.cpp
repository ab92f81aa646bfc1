// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Time is virtual: it advances a little with each step and each look at a clock, and jumps when
// somebody sleeps. A sleep promises no order among threads, so it is no more than a yield; what a
// program does right only because it slept long enough, it does wrong in some schedule.
#include <sched.h>
#include <sys/time.h>

#include "check/doors.h"

namespace thrum::check {
namespace {

constexpr std::int64_t kLookNs = 1000;

bool step_aside(Op op, Pc pc) noexcept {
  self().yielded = true;
  return point(op, nullptr, pc);
}

}  // namespace

timespec shown(clockid_t clock) noexcept {
  engine.run.now_ns += kLookNs;
  const std::int64_t ns = clock_start_ns(clock) + engine.run.now_ns;
  return to_time(ns);
}

void yield(Pc pc) noexcept { step_aside(Op::yield, pc); }

std::int64_t sleep_until(std::int64_t deadline, Pc pc) {
  test_cancel();
  const bool rested = step_aside(Op::sleep, pc);
  test_cancel();
  const std::int64_t left = deadline - engine.run.now_ns;
  if (!rested) return left > 0 ? left : 0;
  if (deadline != kNever && left > 0) engine.run.now_ns = deadline;
  return kRested;
}

THRUM_DOOR(int, nanosleep, const timespec* time, timespec* left) {
  if (!controlled()) return libc().nanosleep(time, left);
  if (!is_time(time)) {
    errno = EINVAL;
    return -1;
  }
  const std::int64_t rest = sleep_until(deadline_in(*time), THRUM_CALLER());
  if (rest == kRested) return 0;
  if (left != nullptr) *left = to_time(rest);
  errno = EINTR;
  return -1;
}
THRUM_DOOR(int, clock_nanosleep, clockid_t clock, int flags, const timespec* time, timespec* left) {
  if (!controlled()) return libc().clock_nanosleep(clock, flags, time, left);
  if (!is_time(time)) return EINVAL;
  const bool is_absolute = (flags & TIMER_ABSTIME) != 0;
  const std::int64_t rest =
      sleep_until(is_absolute ? deadline_at(*time, clock) : deadline_in(*time), THRUM_CALLER());
  if (rest == kRested) return 0;
  if (left != nullptr && !is_absolute) *left = to_time(rest);
  return EINTR;
}
THRUM_DOOR(int, usleep, useconds_t us) {
  if (!controlled()) return libc().usleep(us);
  if (sleep_until(engine.run.now_ns + std::int64_t{us} * 1000, THRUM_CALLER()) == kRested) return 0;
  errno = EINTR;
  return -1;
}
THRUM_DOOR(unsigned, sleep, unsigned seconds) {
  if (!controlled()) return libc().sleep(seconds);
  const std::int64_t rest = sleep_until(engine.run.now_ns + seconds * kSecond, THRUM_CALLER());
  return rest == kRested ? 0 : static_cast<unsigned>(rest / kSecond);
}
THRUM_DOOR(int, sched_yield, void) {
  if (!controlled()) return libc().sched_yield();
  yield(THRUM_CALLER());
  return 0;
}
THRUM_DOOR(int, pthread_yield, void) {
  if (!controlled()) return libc().sched_yield();
  yield(THRUM_CALLER());
  return 0;
}

THRUM_DOOR(int, clock_gettime, clockid_t clock, timespec* time) {
  if (!controlled()) return libc().clock_gettime(clock, time);
  if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
    *time = shown(CLOCK_MONOTONIC);
    time->tv_sec -= clock_start_ns(CLOCK_MONOTONIC) / kSecond;
    return 0;
  }
  *time = shown(clock);
  return 0;
}
THRUM_DOOR(int, gettimeofday, timeval* time, void* zone) {
  if (!controlled()) return libc().gettimeofday(time, zone);
  const timespec now = shown(CLOCK_REALTIME);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}
THRUM_DOOR(int, timespec_get, timespec* time, int base) {
  if (base != TIME_UTC) return 0;
  if (!controlled()) return libc().clock_gettime(CLOCK_REALTIME, time) == 0 ? base : 0;
  *time = shown(CLOCK_REALTIME);
  return base;
}
THRUM_DOOR(std::clock_t, clock, void) {
  timespec now{};
  if (controlled()) {
    now = shown(CLOCK_MONOTONIC);
    now.tv_sec -= clock_start_ns(CLOCK_MONOTONIC) / kSecond;
  } else {
    libc().clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  }
  return now.tv_sec * CLOCKS_PER_SEC + now.tv_nsec / 1000;
}
THRUM_DOOR(time_t, time, time_t* out) {
  const time_t now = controlled() ? shown(CLOCK_REALTIME).tv_sec : libc().time(nullptr);
  if (out != nullptr) *out = now;
  return now;
}

}  // namespace thrum::check
