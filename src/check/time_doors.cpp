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

timespec shown(clockid_t clock) noexcept {
  engine.run.now_ns += kLookNs;
  const std::int64_t ns = clock_start_ns(clock) + engine.run.now_ns;
  return {static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
}

void step_aside(Op op, Pc pc) noexcept {
  self().yielded = true;
  point(op, nullptr, pc);
}

void sleep_until(std::int64_t deadline, Pc pc) {
  test_cancel();
  step_aside(Op::sleep, pc);
  test_cancel();
  if (deadline != kNever && engine.run.now_ns < deadline) engine.run.now_ns = deadline;
}

}  // namespace

THRUM_DOOR(int, nanosleep, const timespec* time, timespec* left) {
  if (!controlled()) return libc().nanosleep(time, left);
  if (!is_time(time)) {
    errno = EINVAL;
    return -1;
  }
  sleep_until(deadline_in(*time), THRUM_CALLER());
  return 0;
}
THRUM_DOOR(int, clock_nanosleep, clockid_t clock, int flags, const timespec* time, timespec* left) {
  if (!controlled()) return libc().clock_nanosleep(clock, flags, time, left);
  if (!is_time(time)) return EINVAL;
  sleep_until((flags & TIMER_ABSTIME) != 0 ? deadline_at(*time, clock) : deadline_in(*time),
              THRUM_CALLER());
  return 0;
}
THRUM_DOOR(int, usleep, useconds_t us) {
  if (!controlled()) return libc().usleep(us);
  sleep_until(engine.run.now_ns + std::int64_t{us} * 1000, THRUM_CALLER());
  return 0;
}
THRUM_DOOR(unsigned, sleep, unsigned seconds) {
  if (!controlled()) return libc().sleep(seconds);
  sleep_until(engine.run.now_ns + seconds * kSecond, THRUM_CALLER());
  return 0;
}
THRUM_DOOR(int, sched_yield, void) {
  if (!controlled()) return libc().sched_yield();
  step_aside(Op::yield, THRUM_CALLER());
  return 0;
}
THRUM_DOOR(int, pthread_yield, void) {
  if (!controlled()) return libc().sched_yield();
  step_aside(Op::yield, THRUM_CALLER());
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
THRUM_DOOR(time_t, time, time_t* out) {
  const time_t now = controlled() ? shown(CLOCK_REALTIME).tv_sec : libc().time(nullptr);
  if (out != nullptr) *out = now;
  return now;
}

}  // namespace thrum::check
