// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Masks of signals are each thread's own, but one kernel thread runs all of them: it has none of
// the program's while executions are put back in place. The signals of faults are never blocked:
// the kernel would end the process at once where one comes.
#include <csignal>
#include <cstring>

#include "check/doors.h"
#include "check/server.h"

namespace thrum::check {
namespace {

constexpr std::uint64_t bit(int signal) noexcept { return std::uint64_t{1} << (signal - 1); }
constexpr std::uint64_t kFaults = bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL);
constexpr std::uint64_t kGlibcs = bit(32) | bit(33);  // cancellation, setuid: never blocked
constexpr std::uint64_t kNotMaskable = bit(SIGKILL) | bit(SIGSTOP);

std::uint64_t word_of(const sigset_t& set) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, &set, sizeof word);
  return word;
}

long kernel_mask(int how, const std::uint64_t* mask, std::uint64_t* before) noexcept {
  return raw_syscall(SYS_rt_sigprocmask, how, as_long(mask), as_long(before), sizeof *mask);
}

// Returns an error number.
int change_mask(int how, const sigset_t* set, sigset_t* before) noexcept {
  const std::uint64_t wanted = set != nullptr ? word_of(*set) & ~kGlibcs : 0;
  std::uint64_t old = 0;
  if (!controlled()) {
    const long result = kernel_mask(how, set != nullptr ? &wanted : nullptr, &old);
    if (result < 0) return static_cast<int>(-result);
  } else {
    std::uint64_t& mask = self().signal_mask;
    old = mask;
    if (set != nullptr) {
      switch (how) {
        case SIG_BLOCK:
          mask |= wanted;
          break;
        case SIG_UNBLOCK:
          mask &= ~wanted;
          break;
        case SIG_SETMASK:
          mask = wanted;
          break;
        default:
          return EINVAL;
      }
      mask &= ~kNotMaskable;
      if (!engine.fast) {
        const std::uint64_t real = mask & ~kFaults;
        kernel_mask(SIG_SETMASK, &real, nullptr);
      }
    }
  }
  if (before != nullptr) {
    *before = {};
    std::memcpy(before, &old, sizeof old);
  }
  return 0;
}

}  // namespace

void let_faults_through() noexcept {
  std::uint64_t mask = 0;
  kernel_mask(SIG_UNBLOCK, &kFaults, &mask);
  engine.thread[0].signal_mask |= mask & kFaults;
}

void begin_signal_mask(Thread& thread, const pthread_attr_t* attributes) noexcept {
  thread.signal_mask = self().signal_mask;
  sigset_t set;
  if (attributes != nullptr && pthread_attr_getsigmask_np(attributes, &set) == 0) {
    thread.signal_mask = word_of(set) & ~(kGlibcs | kNotMaskable);
  }
}

THRUM_DOOR(int, pthread_sigmask, int how, const sigset_t* set, sigset_t* before) {
  return change_mask(how, set, before);
}
THRUM_DOOR(int, sigprocmask, int how, const sigset_t* set, sigset_t* before) {
  const int error = change_mask(how, set, before);
  if (error == 0) return 0;
  errno = error;
  return -1;
}
// Handlers have a stack already: the one on which faults are caught.
THRUM_DOOR(int, sigaltstack, const stack_t* stack, stack_t* before) {
  if (controlled() && engine.fast) finish(Outcome::kernel_state, "sigaltstack");
  const long result = raw_syscall(SYS_sigaltstack, as_long(stack), as_long(before));
  if (result == 0) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace thrum::check
