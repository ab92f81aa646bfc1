// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Linked into a test program, this replaces libc's syscall(). Two of three futex waits do not sleep
// but answer what a kernel may answer at any time: EINTR, woken for no reason, or EAGAIN as if the
// word had changed and changed back. Every test must pass all the same.
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <thrum/wait.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>

#include "support/raw_syscall.h"

namespace {

constexpr long kFutexWaitv = 449;

std::atomic<unsigned> turn{0};
std::atomic<unsigned> interrupted{0}, woken{0}, changed{0};

// Even over the turns, without a pattern that a loop could fall into step with.
unsigned dice() noexcept {
  unsigned x = turn.fetch_add(0x9e3779b9u, std::memory_order_relaxed);
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  return x % 6;
}

bool waits(long number, long operation) noexcept {
  if (number == kFutexWaitv) return true;
  const long command = operation & FUTEX_CMD_MASK;
  return number == SYS_futex && (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET);
}

}  // namespace

extern "C" long syscall(long number, ...) noexcept {
  long a[6];
  va_list list;
  va_start(list, number);
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (waits(number, a[1])) {
    switch (dice()) {
      case 0:
      case 1:
        interrupted.fetch_add(1, std::memory_order_relaxed);
        errno = EINTR;
        return -1;
      case 2:
        woken.fetch_add(1, std::memory_order_relaxed);
        return number == kFutexWaitv ? a[1] - 1 : 0;
      case 3:
        changed.fetch_add(1, std::memory_order_relaxed);
        errno = EAGAIN;
        return -1;
      default:
        break;
    }
  }
  return thrum::test::raw_syscall(number, a);
}

namespace thrum {
namespace {

TEST(FaultySyscall, ReallyInjectsEachFault) {
  using namespace std::chrono_literals;
  const Word word{0};
  std::stop_source source;
  unsigned slept = 0;
  for (int i = 0; i < 60 || interrupted == 0 || ::woken == 0 || ::changed == 0 || slept == 0; ++i) {
    const Deadline soon(100us);
    const Wake why = wait(word, 0, i % 2 == 0 ? soon : soon.or_stop(source.get_token()));
    EXPECT_NE(why, Wake::stopped) << "nobody requested it";
    slept += why == Wake::timeout;
  }
}

}  // namespace
}  // namespace thrum
