// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Masks of signals are each thread's own, but one kernel thread runs all of them: it has none of
// the program's while executions are put back in place. The signals of faults are never blocked:
// the kernel would end the process at once where one comes. Handlers are told to the kernel as
// well where an execution is a process of its own, for signals that come from elsewhere.
#include <dlfcn.h>

#include <csignal>
#include <cstring>

#include "check/doors.h"
#include "check/server.h"
#include "check/signals.h"

namespace thrum::check {
namespace {

// Cancellation, setuid: never blocked.
constexpr std::uint64_t kGlibcs = signal_bit(32) | signal_bit(33);

constinit pid_t first_process = 0;  // of which executions are forks

std::uint64_t word_of(const sigset_t& set) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, &set, sizeof word);
  return word;
}

long kernel_mask(int how, const std::uint64_t* mask, std::uint64_t* before) noexcept {
  return raw_syscall(SYS_rt_sigprocmask, how, as_long(mask), as_long(before), sizeof *mask);
}

// Returns an error number.
int change_mask(int how, const sigset_t* set, sigset_t* before, Pc pc) noexcept {
  const std::uint64_t wanted = set != nullptr ? word_of(*set) & ~kGlibcs : 0;
  std::uint64_t old = 0;
  if (!controlled()) {
    const long result = kernel_mask(how, set != nullptr ? &wanted : nullptr, &old);
    if (result < 0) return static_cast<int>(-result);
  } else {
    old = self().signal_mask;
    if (set != nullptr) {
      std::uint64_t mask = old;
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
      set_signal_mask(mask & ~kNotMaskable, pc);
    }
  }
  if (before != nullptr) {
    *before = {};
    std::memcpy(before, &old, sizeof old);
  }
  return 0;
}

// Of the program itself. What has asked for its number before the first thread has another's.
bool is_own(pid_t process) noexcept {
  return process == 0 || process == first_process || process == raw_syscall(SYS_getpid);
}

int checked_number(int signal) noexcept { return signal < 0 || signal > kSignals ? EINVAL : 0; }

int with_errno(int error) noexcept {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int send_to_process(int signal, SignalValue value, Pc pc) noexcept {
  if (const int error = checked_number(signal)) return error;
  return signal == 0 ? 0 : send_signal(signal, nullptr, value, pc);
}
int send_to_thread(pthread_t handle, int signal, SignalValue value, Pc pc) noexcept {
  if (const int error = checked_number(signal)) return error;
  Thread* const thread = find_thread(handle);
  if (thread == nullptr) return ESRCH;
  return signal == 0 ? 0 : send_signal(signal, thread, value, pc);
}

// libc's function of this name, which no door of ours shares with it.
template <class Function>
Function next(const char* name) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
using Sigaction = int (*)(int, const struct sigaction*, struct sigaction*);
int libc_sigaction(int signal, const struct sigaction* action, struct sigaction* before) noexcept {
  static constinit Sigaction known = nullptr;
  if (known == nullptr) known = next<Sigaction>("sigaction");
  return known(signal, action, before);
}

int change_action(int signal, const struct sigaction* action, struct sigaction* before) noexcept {
  if (signal < 1 || signal > kSignals) return with_errno(EINVAL);
  if (action != nullptr && ((signal_bit(signal) & (kNotMaskable | kGlibcs)) != 0)) {
    return with_errno(EINVAL);
  }
  if (before != nullptr) {
    const struct sigaction* const old = signal_action(signal);
    if (old != nullptr) {
      *before = *old;
    } else if (libc_sigaction(signal, nullptr, before) != 0) {
      return -1;
    }
  }
  if (action == nullptr) return 0;
  if (engine.fast && (signal_bit(signal) & kFaults) != 0) {
    finish(Outcome::kernel_state, "sigaction");
  }
  set_signal_action(signal, *action);
  return engine.fast ? 0 : libc_sigaction(signal, action, nullptr);
}

// Until a handler has run.
int suspend(Pc pc) {
  test_cancel();
  wait_for_signal(0, nullptr, kNever, pc);
  unless_cancelled(0);
  return with_errno(EINTR);
}

}  // namespace

void prepare_signal_doors() noexcept {
  first_process = static_cast<pid_t>(raw_syscall(SYS_getpid));
  prepare_signals();
}

void set_signal_mask(std::uint64_t mask, Pc pc) noexcept {
  self().signal_mask = mask;
  if (!engine.fast) {
    const std::uint64_t real = mask & ~kFaults;
    kernel_mask(SIG_SETMASK, &real, nullptr);
  }
  if (engine.run.signals != 0) run_signal_handlers(pc);
}

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
  return change_mask(how, set, before, THRUM_CALLER());
}
THRUM_DOOR(int, sigprocmask, int how, const sigset_t* set, sigset_t* before) {
  return with_errno(change_mask(how, set, before, THRUM_CALLER()));
}
// Handlers have a stack already: the one on which faults are caught.
THRUM_DOOR(int, sigaltstack, const stack_t* stack, stack_t* before) {
  if (controlled() && engine.fast) finish(Outcome::kernel_state, "sigaltstack");
  const long result = raw_syscall(SYS_sigaltstack, as_long(stack), as_long(before));
  if (result == 0) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

THRUM_DOOR(int, sigaction, int signal, const struct sigaction* action, struct sigaction* before) {
  return controlled() ? change_action(signal, action, before)
                      : libc_sigaction(signal, action, before);
}
THRUM_DOOR(sighandler_t, signal, int signal, sighandler_t handler) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  if (sigaction(signal, &action, &before) != 0) return SIG_ERR;
  return before.sa_handler;
}

THRUM_DOOR(int, raise, int signal) {
  if (!controlled()) {
    using Raise = int (*)(int);
    return next<Raise>("raise")(signal);
  }
  return with_errno(send_to_thread(self().handle, signal, {SI_TKILL, {}}, THRUM_CALLER()));
}
THRUM_DOOR(int, kill, pid_t process, int signal) {
  if (controlled() && is_own(process)) {
    return with_errno(send_to_process(signal, {SI_USER, {}}, THRUM_CALLER()));
  }
  if (controlled() && engine.fast) finish(Outcome::kernel_state, "kill");
  const long result = raw_syscall(SYS_kill, process, signal);
  return with_errno(static_cast<int>(-result));
}
THRUM_DOOR(int, sigqueue, pid_t process, int signal, const sigval value) {
  if (controlled() && is_own(process)) {
    return with_errno(send_to_process(signal, {SI_QUEUE, value}, THRUM_CALLER()));
  }
  if (controlled() && engine.fast) finish(Outcome::kernel_state, "sigqueue");
  using Queue = int (*)(pid_t, int, const sigval);
  return next<Queue>("sigqueue")(process, signal, value);
}
THRUM_DOOR(int, pthread_kill, pthread_t thread, int signal) {
  if (!controlled()) {
    using Kill = int (*)(pthread_t, int);
    return next<Kill>("pthread_kill")(thread, signal);
  }
  return send_to_thread(thread, signal, {SI_TKILL, {}}, THRUM_CALLER());
}
THRUM_DOOR(int, pthread_sigqueue, pthread_t thread, int signal, const sigval value) {
  if (!controlled()) {
    using Queue = int (*)(pthread_t, int, const sigval);
    return next<Queue>("pthread_sigqueue")(thread, signal, value);
  }
  return send_to_thread(thread, signal, {SI_QUEUE, value}, THRUM_CALLER());
}

THRUM_DOOR(int, sigwait, const sigset_t* set, int* signal) {
  if (!controlled()) {
    using Wait = int (*)(const sigset_t*, int*);
    return next<Wait>("sigwait")(set, signal);
  }
  test_cancel();
  int taken = -1;
  while (taken < 0) {
    taken = wait_for_signal(word_of(*set), nullptr, kNever, THRUM_CALLER());
    unless_cancelled(0);
  }
  *signal = taken;
  return 0;
}
THRUM_DOOR(int, sigtimedwait, const sigset_t* set, siginfo_t* info, const timespec* time) {
  if (!controlled()) {
    using Wait = int (*)(const sigset_t*, siginfo_t*, const timespec*);
    return next<Wait>("sigtimedwait")(set, info, time);
  }
  if (time != nullptr && !is_time(time)) return with_errno(EINVAL);
  test_cancel();
  const std::int64_t deadline = time != nullptr ? deadline_in(*time) : kNever;
  const int taken = wait_for_signal(word_of(*set), info, deadline, THRUM_CALLER());
  unless_cancelled(0);
  return taken > 0 ? taken : with_errno(taken == 0 ? EAGAIN : EINTR);
}
THRUM_DOOR(int, sigwaitinfo, const sigset_t* set, siginfo_t* info) {
  if (!controlled()) {
    using Wait = int (*)(const sigset_t*, siginfo_t*);
    return next<Wait>("sigwaitinfo")(set, info);
  }
  test_cancel();
  const int taken = wait_for_signal(word_of(*set), info, kNever, THRUM_CALLER());
  unless_cancelled(0);
  return taken > 0 ? taken : with_errno(EINTR);
}
THRUM_DOOR(int, sigpending, sigset_t* set) {
  if (!controlled())
    return with_errno(static_cast<int>(-raw_syscall(SYS_rt_sigpending, as_long(set), 8)));
  const std::uint64_t pending = signals_for(self()) & self().signal_mask;
  sigemptyset(set);
  std::memcpy(set, &pending, sizeof pending);
  return 0;
}
THRUM_DOOR(int, sigsuspend, const sigset_t* set) {
  if (!controlled()) {
    using Suspend = int (*)(const sigset_t*);
    return next<Suspend>("sigsuspend")(set);
  }
  const std::uint64_t before = self().signal_mask;
  const Pc pc = THRUM_CALLER();
  self().signal_mask = word_of(*set) & ~(kNotMaskable | kGlibcs);
  suspend(pc);
  set_signal_mask(before, pc);
  return with_errno(EINTR);
}
THRUM_DOOR(int, pause, void) {
  if (!controlled()) {
    using Pause = int (*)();
    return next<Pause>("pause")();
  }
  point(Op::pause, nullptr, THRUM_CALLER());  // what comes before this returns does not end it
  return suspend(THRUM_CALLER());
}

}  // namespace thrum::check
