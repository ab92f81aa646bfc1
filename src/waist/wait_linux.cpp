// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The waist on Linux: the kernel is the wait table. Every call goes through libc's syscall(), so
// that it can be observed, steered and faulted from outside (docs/waist.md).
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <stop_token>

#include "waist/sleep.h"

namespace thrum {
namespace waist {
namespace {

// Linux 5.16; older headers lack both.
constexpr long kFutexWaitv = 449;
struct FutexWaitv {
  std::uint64_t value, address;
  std::uint32_t flags, reserved;
};
constexpr std::uint32_t kPrivate32 = 2 | FUTEX_PRIVATE_FLAG;

// Where futex_waitv is missing (older kernels, sandboxes), a stop is noticed this late at most.
constexpr std::chrono::milliseconds kSlice{10};

timespec to_timespec(std::int64_t ns) noexcept {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

// The deadline as the kernel wants it: null for no limit.
class KernelTime {
 public:
  explicit KernelTime(const Deadline& deadline) noexcept
      : forever_(deadline.is_forever()),
        time_(to_timespec(forever_ || deadline.at_ns() < 0 ? 0 : deadline.at_ns())) {}
  const timespec* get() const noexcept { return forever_ ? nullptr : &time_; }

 private:
  bool forever_;
  timespec time_;
};

Wake futex_wait(const Word& word, std::uint32_t expected, const Deadline& deadline) noexcept {
  const KernelTime time(deadline);
  if (::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, time.get(),
                nullptr, FUTEX_BITSET_MATCH_ANY) == 0) {
    return Wake::woken;
  }
  if (errno == ETIMEDOUT) return Wake::timeout;
  return errno == EAGAIN ? Wake::changed : Wake::woken;  // EINTR: spurious
}

Wake wait_in_slices(const Word& word, std::uint32_t expected, const Deadline& deadline) noexcept {
  for (;;) {
    const Wake why = futex_wait(word, expected, deadline.at_most(kSlice));
    if (why != Wake::timeout) return why;
    if (deadline.expired()) {
      return deadline.stop().stop_requested() ? Wake::stopped : Wake::timeout;
    }
  }
}

// Sleeps on two words, the object's and one that the stop callback sets.
Wake wait_or_stop(const Word& word, std::uint32_t expected, const Deadline& deadline) noexcept {
  static constinit std::atomic<bool> has_waitv{true};
  // relaxed: a fact about the kernel, not about data
  if (!has_waitv.load(std::memory_order_relaxed)) return wait_in_slices(word, expected, deadline);

  Word stop{0};
  const std::stop_callback on_stop(deadline.stop(), [&stop] {
    stop.store(1, std::memory_order_relaxed);  // the kernel orders the store before its wake
    wake(&stop, 1);
  });
  // If both were woken the kernel reports the last: the object's word comes last, so that a wake
  // aimed at this thread is never taken for a stop.
  const FutexWaitv words[2] = {
      {0, reinterpret_cast<std::uintptr_t>(&stop), kPrivate32, 0},
      {expected, reinterpret_cast<std::uintptr_t>(&word), kPrivate32, 0},
  };
  const KernelTime time(deadline);
  const long index = ::syscall(kFutexWaitv, words, 2, 0, time.get(), CLOCK_MONOTONIC);
  if (index == 0) return Wake::stopped;
  if (index > 0) return Wake::woken;
  switch (errno) {
    case ETIMEDOUT:
      return Wake::timeout;
    case EAGAIN:
      // One of the words differed; the object's may have changed back since. relaxed: as the store
      return stop.load(std::memory_order_relaxed) != 0 ? Wake::stopped : Wake::changed;
    case EINTR:
      return Wake::woken;
    default:  // ENOSYS, or a sandbox's EPERM
      has_waitv.store(false, std::memory_order_relaxed);
      return wait_in_slices(word, expected, deadline);
  }
}

}  // namespace

Wake sleep(const Word& word, std::uint32_t expected, const Deadline& deadline) noexcept {
  return deadline.stop().stop_possible() ? wait_or_stop(word, expected, deadline)
                                         : futex_wait(word, expected, deadline);
}

void park_for_good() noexcept {
  for (;;) ::pause();
}

bool arm_barrier() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}
bool barrier() noexcept {
  const auto now = [] {
    return ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
  };
  return now() || (arm_barrier() && now());
}

// The C library knows the id, and says it without a system call only as part of the thread's
// processor clock: MAKE_THREAD_CPUCLOCK of linux/posix-timers.h, ~id << 3 and three bits.
std::uint32_t native_id() noexcept {
  clockid_t clock{};
  if (::pthread_getcpuclockid(::pthread_self(), &clock) != 0) {
    return static_cast<std::uint32_t>(::gettid());
  }
  return static_cast<std::uint32_t>(~(clock >> 3));
}

// The kernel sees to it.
void before_fork() noexcept {}
void after_fork(Side) noexcept {}

}  // namespace waist

int wake(const Word* word, int count) noexcept {
  if (count < 1) return 0;  // the kernel would wake one
  const int saved = errno;  // a signal handler may call this
  const long woken = ::syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count);
  errno = saved;
  return woken < 0 ? 0 : static_cast<int>(woken);
}

int requeue(const Word* from, const Word* to, int count) noexcept {
  const long moved =
      ::syscall(SYS_futex, from, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0, count, to, 0);
  // Refused (a sandbox): then wake them.
  return moved < 0 ? wake(from, count) : static_cast<int>(moved);
}

}  // namespace thrum
