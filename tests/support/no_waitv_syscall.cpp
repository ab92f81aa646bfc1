// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Linked into a test program, this replaces libc's syscall() by that of a kernel before 5.16, or a
// sandbox, which has neither futex_waitv nor membarrier.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <thrum/wait.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>

#include "support/raw_syscall.h"

namespace {

constexpr long kFutexWaitv = 449;
constexpr long kMembarrier = SYS_membarrier;
std::atomic<unsigned> refused{0};

}  // namespace

extern "C" long syscall(long number, ...) noexcept {
  long a[6];
  va_list list;
  va_start(list, number);
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (number == kMembarrier) {
    errno = ENOSYS;
    return -1;
  }
  if (number == kFutexWaitv) {
    refused.fetch_add(1, std::memory_order_relaxed);
    errno = ENOSYS;
    return -1;
  }
  return thrum::test::raw_syscall(number, a);
}

namespace thrum {
namespace {

TEST(NoWaitvSyscall, IsAskedOnceAndThenDoneWithout) {
  using namespace std::chrono_literals;
  const Word word{0};
  std::stop_source source;
  EXPECT_EQ(wait(word, 0, Deadline(1ms).or_stop(source.get_token())), Wake::timeout);
  EXPECT_EQ(refused, 1u);
  EXPECT_EQ(wait(word, 0, Deadline(25ms).or_stop(source.get_token())), Wake::timeout);
  EXPECT_EQ(refused, 1u);
}

}  // namespace
}  // namespace thrum
