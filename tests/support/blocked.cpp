// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "support/blocked.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "waist/self.h"

namespace thrum::test {
namespace {

constexpr long kFutexWaitv = 449;
struct FutexWaitv {
  std::uint64_t value, address;
  std::uint32_t flags, reserved;
};

// What the kernel says of a thread; empty if it has ended.
std::array<char, 512> read_of(pid_t tid, const char* what) {
  std::array<char, 512> text{};
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d/%s", static_cast<int>(tid), what);
  const int file = open(path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  if (read(file, text.data(), text.size() - 1) < 0) text[0] = '\0';
  close(file);
  return text;
}

bool sleeps(pid_t tid) {
  const std::array<char, 512> stat = read_of(tid, "stat");
  const char* const name_end = std::strrchr(stat.data(), ')');
  return name_end != nullptr && name_end[1] == ' ' && name_end[2] == 'S';
}

// The futexes a thread sleeps on; empty if it does not.
std::vector<std::uintptr_t> futexes_of(pid_t tid) {
  // First: one that we woke, and that is not on a processor yet, still shows its system call.
  if (!sleeps(tid)) return {};
  const std::array<char, 512> line = read_of(tid, "syscall");
  long number = -1;
  unsigned long a[3];
  if (std::sscanf(line.data(), "%ld %lx %lx %lx", &number, &a[0], &a[1], &a[2]) != 4) return {};
  if (number == SYS_futex) {
    const unsigned long command = a[1] & static_cast<unsigned long>(FUTEX_CMD_MASK);
    if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) return {a[0]};
  } else if (number == kFutexWaitv && a[1] <= 128) {
    // By a system call: the thread may leave, and its stack with it, while we read.
    std::vector<FutexWaitv> waiters(a[1]);
    const iovec here{waiters.data(), waiters.size() * sizeof(FutexWaitv)};
    const iovec there{reinterpret_cast<void*>(a[0]), here.iov_len};
    if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) == static_cast<ssize_t>(here.iov_len)) {
      std::vector<std::uintptr_t> all;
      for (const FutexWaitv& waiter : waiters) all.push_back(waiter.address);
      return all;
    }
  }
  return {};
}

bool within(std::uintptr_t address, const void* begin, std::size_t size) {
  return address - reinterpret_cast<std::uintptr_t>(begin) < size;
}

}  // namespace

bool is_blocked(pid_t tid) { return !futexes_of(tid).empty(); }

bool is_blocked(pid_t tid, const void* begin, std::size_t size) {
  for (const std::uintptr_t address : futexes_of(tid)) {
    if (within(address, begin, size)) return true;
  }
  return false;
}

void wait_until_blocked(pid_t tid, const void* address) {
  until([&] { return is_blocked(tid, address, sizeof(Word)); });
}

// Not looked at: under valgrind a thread may be seen asleep on a futex of valgrind's.
bool words_are_futexes() { return THRUM_WORDS_ARE_FUTEXES; }

void let_others_run() {
  // Not sched_yield alone: it may return at once, for ever, and the other thread is starved.
  static thread_local unsigned turn = 0;
  if (++turn % 32 != 0) {
    sched_yield();
  } else {
    usleep(50);
  }
}

struct Actor::State {
  std::function<void()> body;
  std::atomic<pid_t> tid{0};
  std::atomic<std::uint64_t> ident{0};
  std::atomic<bool> finished{false};
  std::thread thread;
};

Actor::Actor(std::function<void()> body) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.body = std::move(body);
  state.thread = std::thread([&state] {
    state.ident = self().ident;
    state.tid = gettid();
    state.body();
    state.finished = true;
  });
  until([&state] { return state.tid != 0; });
}

Actor::Actor(Actor&&) noexcept = default;

Actor::~Actor() {
  if (state_ != nullptr) join();
}

void Actor::join() {
  if (state_->thread.joinable()) state_->thread.join();
}

bool Actor::finished() const noexcept { return state_->finished; }
pid_t Actor::tid() const noexcept { return state_->tid; }

void Actor::interrupt() const {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction nothing{};
    nothing.sa_handler = [](int) {};
    sigaction(SIGUSR2, &nothing, nullptr);
  });
  // Not libc's syscall(): it may be faulty.
  pthread_kill(state_->thread.native_handle(), SIGUSR2);
}

const Word* Actor::sleeps_on() const {
  if (!words_are_futexes()) return nullptr;
  const std::vector<std::uintptr_t> all = futexes_of(tid());
  return all.empty() ? nullptr : reinterpret_cast<const Word*>(all.back());
}

bool Actor::until_blocked_or_ended(const void* begin, std::size_t size) const {
  const bool by_address = words_are_futexes();
  bool blocked = false;
  until([&] {
    blocked = by_address ? is_blocked(tid(), begin, size)
                         : is_blocked(tid()) && says_it_waits_within(begin, size);
    return blocked || finished();
  });
  return blocked;
}

const Actor& Actor::until_blocked_within(const void* begin, std::size_t size) const {
  EXPECT_TRUE(until_blocked_or_ended(begin, size)) << "the thread should block, it returned";
  return *this;
}

// Its word is on its own stack, so the kernel cannot tell which condition that is.
const Actor& Actor::until_blocked_on(const Condition& condition) const {
  bool blocked = false;
  until([&] {
    blocked = is_blocked(tid()) && says_it_waits_within(&condition, sizeof(condition));
    return blocked || finished();
  });
  EXPECT_TRUE(blocked) << "the thread should block, it returned";
  return *this;
}

bool Actor::says_it_waits_within(const void* begin, std::size_t size) const {
  const waist::Registry registry;
  for (const waist::Node* node = registry.first(); node != nullptr; node = node->next) {
    if (node->ident == state_->ident) {
      const WaitingFor what = waist::blocked_on(*node);
      return within(reinterpret_cast<std::uintptr_t>(what.object), begin, size);
    }
  }
  return false;
}

struct OneProcessor::State {
  cpu_set_t before;
};

OneProcessor::OneProcessor() : state_(std::make_unique<State>()) {
  sched_getaffinity(0, sizeof(state_->before), &state_->before);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof(one), &one);
}

OneProcessor::~OneProcessor() { sched_setaffinity(0, sizeof(state_->before), &state_->before); }

void become_polite() {
  const sched_param none{};
  EXPECT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
}

void become_humble() { EXPECT_EQ(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19), 0); }

}  // namespace thrum::test
