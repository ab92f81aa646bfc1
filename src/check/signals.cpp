// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/signals.h"

#include <ucontext.h>
#include <unistd.h>

#include <cstring>

#include "check/doors.h"

namespace thrum::check {
namespace {

constexpr std::uint32_t kMost = 256;  // on their way at a time
constexpr std::uint8_t kAnyThread = 255;
constexpr std::uint64_t kStops =
    signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
constexpr std::uint64_t kIgnored =
    signal_bit(SIGCHLD) | signal_bit(SIGURG) | signal_bit(SIGWINCH) | signal_bit(SIGCONT);

struct Sent {
  std::uint8_t signal, thread;
  SignalValue value;
};
// In memory that is put back after an execution. engine.run.signals says how many are on their way.
struct Signals {
  bool known[kSignals + 1];
  struct sigaction action[kSignals + 1];
  Sent sent[kMost];
};
constinit Signals* signals = nullptr;

bool comes_to(const Sent& sent, const Thread& thread) noexcept {
  return sent.thread == thread.id || sent.thread == kAnyThread;
}

void remove(std::uint32_t index) noexcept {
  --engine.run.signals;
  for (std::uint32_t i = index; i < engine.run.signals; ++i)
    signals->sent[i] = signals->sent[i + 1];
}

// Takes the first of the set that has come to the thread: its own before those for any, the lowest
// number first, as the kernel. Returns false if there is none.
bool take(const Thread& thread, std::uint64_t set, Sent& taken) noexcept {
  const auto rank = [](const Sent& sent) {
    return (sent.thread == kAnyThread ? 256U : 0U) + sent.signal;
  };
  std::uint32_t best = kMost;
  for (std::uint32_t i = 0; i < engine.run.signals; ++i) {
    const Sent& each = signals->sent[i];
    if (!comes_to(each, thread) || (signal_bit(each.signal) & set) == 0) continue;
    if (best == kMost || rank(each) < rank(signals->sent[best])) best = i;
  }
  if (best == kMost) return false;
  taken = signals->sent[best];
  remove(best);
  return true;
}

struct sigaction action_of(int signal) noexcept {
  if (signals->known[signal]) return signals->action[signal];
  // What the kernel says, in its own layout: handler, flags, restorer, mask.
  std::uint64_t words[4]{};
  raw_syscall(SYS_rt_sigaction, signal, 0, as_long(words), sizeof words[3]);
  struct sigaction action{};
  action.sa_handler = reinterpret_cast<void (*)(int)>(words[0]);
  action.sa_flags = static_cast<int>(words[1]);
  std::memcpy(&action.sa_mask, &words[3], sizeof words[3]);
  return action;
}

siginfo_t info_of(const Sent& sent) noexcept {
  siginfo_t info{};
  info.si_signo = sent.signal;
  info.si_code = sent.value.code;
  info.si_pid = static_cast<pid_t>(raw_syscall(SYS_getpid));
  info.si_uid = static_cast<uid_t>(raw_syscall(SYS_getuid));
  info.si_value = sent.value.value;
  return info;
}

// Does it end or stop the process, or do nothing, whatever the thread does?
bool has_handler(int signal) noexcept {
  const struct sigaction action = action_of(signal);
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}
bool is_ignored(int signal) noexcept {
  const struct sigaction action = action_of(signal);
  return action.sa_handler == SIG_IGN ||
         (action.sa_handler == SIG_DFL && (signal_bit(signal) & kIgnored) != 0);
}
[[noreturn]] void end_by(int signal, Pc pc) noexcept {
  if ((signal_bit(signal) & kStops) != 0) {
    finish(Outcome::unsupported, "a signal that stops the process", 0, pc);
  }
  finish(signal == SIGABRT ? Outcome::aborted : Outcome::crash, nullptr, signal, pc);
}

void act(const Sent& sent, Handled& handled, Pc pc) noexcept {
  struct sigaction& kept = signals->action[sent.signal];
  acquired(&kept, pc);
  if (is_ignored(sent.signal)) return;
  if (!has_handler(sent.signal)) end_by(sent.signal, pc);
  const struct sigaction action = action_of(sent.signal);
  ++handled.count;
  handled.breaks |= (action.sa_flags & SA_RESTART) == 0;
  if ((static_cast<unsigned>(action.sa_flags) & SA_RESETHAND) != 0)
    set_signal_action(sent.signal, {});
  Thread& me = self();
  const std::uint64_t before = me.signal_mask;
  std::uint64_t more = 0;
  std::memcpy(&more, &action.sa_mask, sizeof more);
  if ((action.sa_flags & SA_NODEFER) == 0) more |= signal_bit(sent.signal);
  set_signal_mask(before | (more & ~kNotMaskable), pc);
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    siginfo_t info = info_of(sent);
    ucontext_t context{};
    action.sa_sigaction(sent.signal, &info, &context);
  } else {
    action.sa_handler(sent.signal);
  }
  set_signal_mask(before, pc);
}

// A thread that does not mask it; null: whoever waits for it, or unmasks it first.
Thread* choose_taker(int signal, Pc pc) noexcept {
  Thread* taker[kThreads + 1];
  std::uint32_t n = 0;
  bool is_awaited = false;
  for (std::uint32_t i = 0; i < engine.run.threads; ++i) {
    Thread& thread = engine.thread[i];
    if (thread.finished) continue;
    if ((thread.signal_mask & signal_bit(signal)) == 0) {
      taker[n++] = &thread;
    } else {
      is_awaited |= thread.op == Op::signal_wait && (thread.awaited & signal_bit(signal)) != 0;
    }
  }
  if (n != 0 && is_awaited) taker[n++] = nullptr;
  return n == 0 ? nullptr : taker[decide(n, pc)];
}

// Who waits for what others may change runs its handler first, and waits again. Not who sleeps
// until it is woken: that handler runs then.
void interrupt(Thread& thread) noexcept {
  switch (thread.op) {
    case Op::start:
    case Op::signal_wait:
    case Op::relock:
    case Op::condition_blocked:
    case Op::futex_blocked:
    case Op::barrier_blocked:
    case Op::once_blocked:
      return;
    default:
      thread.is_caught =
          thread.op == Op::sleep || (thread.op == Op::semaphore_wait && !is_possible(thread));
      thread.op = Op::handler;
      thread.gate = nullptr;
      thread.object = signals;
      thread.with = nullptr;
      thread.deadline = kNever;
      thread.timed_out = false;
  }
}

}  // namespace

void prepare_signals() noexcept {
  signals = static_cast<Signals*>(map_restored_memory(sizeof(Signals), "signals"));
}

std::uint64_t signals_for(const Thread& thread) noexcept {
  std::uint64_t set = 0;
  for (std::uint32_t i = 0; i < engine.run.signals; ++i) {
    const Sent& each = signals->sent[i];
    if (comes_to(each, thread)) set |= signal_bit(each.signal);
  }
  return set;
}

const struct sigaction* signal_action(int signal) noexcept {
  return signals->known[signal] ? &signals->action[signal] : nullptr;
}
void set_signal_action(int signal, const struct sigaction& action) noexcept {
  signals->known[signal] = true;
  signals->action[signal] = action;
}

int send_signal(int signal, Thread* to, SignalValue value, Pc pc) noexcept {
  point(Op::signal_send, signals, pc);
  note_value(static_cast<std::uint64_t>(signal));
  progress();
  if (to != nullptr && to->finished) return 0;
  released(&signals->action[signal], pc);
  if (to == nullptr) to = choose_taker(signal, pc);
  const bool is_masked = to == nullptr || (to->signal_mask & signal_bit(signal)) != 0;
  if (!is_masked && is_ignored(signal)) return 0;
  if (!is_masked && !has_handler(signal)) end_by(signal, pc);
  const std::uint8_t thread = to != nullptr ? to->id : kAnyThread;
  if (signal < SIGRTMIN) {  // those of old are there once
    for (std::uint32_t i = 0; i < engine.run.signals; ++i) {
      if (signals->sent[i].signal == signal && signals->sent[i].thread == thread) return 0;
    }
  }
  if (engine.run.signals == kMost) return EAGAIN;
  signals->sent[engine.run.signals++] = {static_cast<std::uint8_t>(signal), thread, value};
  engine.run.fruitless = 0;
  if (is_masked) return 0;
  if (to == &self()) {
    run_signal_handlers(pc);
  } else {
    interrupt(*to);
  }
  return 0;
}

int wait_for_signal(std::uint64_t set, siginfo_t* info, std::int64_t deadline, Pc pc) noexcept {
  const Cancellable cancellable;
  Thread& me = self();
  me.awaited = set;
  const bool in_time = point(Op::signal_wait, signals, pc, deadline);
  if (me.cancelled) return -1;
  Sent sent{};
  if (take(me, set, sent)) {
    acquired(&signals->action[sent.signal], pc);
    note_value(sent.signal);
    progress();
    if (info != nullptr) *info = info_of(sent);
    return sent.signal;
  }
  if (run_signal_handlers(pc).count != 0) return -1;
  return in_time ? -1 : 0;
}

Handled run_signal_handlers(Pc pc) noexcept {
  Handled handled{};
  for (Sent sent{}; engine.run.signals != 0 && take(self(), ~self().signal_mask, sent);) {
    if (self().op == Op::handler) note_value(sent.signal);
    act(sent, handled, pc);
  }
  return handled;
}

}  // namespace thrum::check
