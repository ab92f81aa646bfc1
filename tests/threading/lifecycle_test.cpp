// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// New, ready, running, blocked, terminated: what Thread::state() and its relatives answer.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/refusing_pthread_create.h"
#include "threading/thread_support.h"
#include "thrum/threading.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::until_blocked;

TEST(State, IsNewBeforeStart) {
  const Thread thread([] {});
  const ThreadState state = thread.state();
  EXPECT_EQ(state.life, Life::new_);
  EXPECT_EQ(state.end, End::alive);
  EXPECT_EQ(state.blocked_on.kind, Waitable::nothing);
  EXPECT_EQ(state.text(), "new");
}

TEST(State, IsRunningForTheCaller) {
  const ThreadState state = current_thread().state();
  EXPECT_EQ(state.life, Life::running);
  EXPECT_EQ(state.text(), "running");
}

TEST(State, IsRunningOrReadyWhileItComputes) {
  const test::OneProcessor one;  // which the caller has while it asks
  std::atomic<bool> stop{false};
  std::atomic<int> computing{0};
  const auto compute = [&] {
    ++computing;
    while (!stop) {
    }
  };
  Thread first(compute), second(compute);
  first.start();
  second.start();
  test::until([&] { return computing == 2; });
  bool seen_ready = false;
  test::until([&] {
    for (const ThreadHandle& thread : {ThreadHandle(first), ThreadHandle(second)}) {
      const ThreadState state = thread.state();
      EXPECT_TRUE(state.life == Life::ready || state.life == Life::running) << state.text();
      seen_ready = seen_ready || state.life == Life::ready;
    }
    return seen_ready;
  });
  stop = true;
  first.join();
  second.join();
  EXPECT_EQ(ThreadState({Life::ready, {}, End::alive}).text(), "ready");
}

TEST(State, IsRunningOnAnotherProcessor) {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "there is one processor";
  std::atomic<bool> stop{false};
  Thread thread([&] {
    while (!stop) {
    }
  });
  thread.start();
  test::until([&] { return thread.state().life == Life::running; });
  stop = true;
}

TEST(State, IsTerminatedWithHowItEnded) {
  const test::Reports reports;
  Thread returns([] {}), throws([] { throw 1; }), exits([] { pthread_exit(nullptr); });
  for (Thread* thread : {&returns, &throws, &exits}) {
    thread->start();
    thread->join();
    EXPECT_EQ(thread->state().life, Life::terminated);
  }
  EXPECT_EQ(returns.state().end, End::returned);
  EXPECT_EQ(returns.state().text(), "terminated, returned");
  EXPECT_EQ(throws.state().end, End::threw);
  EXPECT_EQ(throws.state().text(), "terminated, threw an exception");
  EXPECT_EQ(exits.state().end, End::exited);
  EXPECT_EQ(exits.state().text(), "terminated, exited");
}

TEST(State, IsTerminatedWithoutAnyJoin) {
  Thread thread([] {});
  thread.start();
  test::until([&] { return thread.state().life == Life::terminated; });
  EXPECT_FALSE(thread.is_alive());
}

// A thread that waits for something, and what sets it free.
struct Wait {
  Waitable kind;
  const void* object;
  std::size_t size;
  std::string text;
  std::function<void()> wait, free;
};

void expect_blocked(const Wait& wait) {
  SCOPED_TRACE(wait.text);
  const std::int64_t before = Deadline::now_ns();
  Thread thread(wait.wait);
  thread.start();
  const ThreadState state = until_blocked(thread, wait.kind);
  const std::int64_t after = Deadline::now_ns();
  EXPECT_EQ(state.end, End::alive);
  const auto address = reinterpret_cast<std::uintptr_t>(state.blocked_on.object);
  const auto object = reinterpret_cast<std::uintptr_t>(wait.object);
  EXPECT_GE(address, object);
  EXPECT_LT(address, object + wait.size);
  EXPECT_GE(state.blocked_on.since_ns, before);
  EXPECT_LE(state.blocked_on.since_ns, after);
  const std::string text = state.text();
  EXPECT_TRUE(text.starts_with("blocked on " + wait.text + " at 0x")) << text;
  EXPECT_NE(text.find(", for "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("s")) << text;
  // It may be awake for a moment, to look again.
  test::until(
      [&] { return thread.text().find(text.substr(0, text.find(", for "))) != std::string::npos; });
  // It sleeps since the same moment when asked again.
  EXPECT_EQ(until_blocked(thread, wait.kind).blocked_on.since_ns, state.blocked_on.since_ns);
  wait.free();
  thread.join();
  EXPECT_EQ(thread.state().end, End::returned);
}

TEST(State, IsBlockedOnALock) {
  Lock lock;
  lock.acquire();
  expect_blocked({Waitable::lock, &lock, sizeof lock, "a lock", [&] { const Guard guard(lock); },
                  [&] { lock.release(); }});
}

TEST(State, IsBlockedOnAnRLock) {
  RLock lock;
  lock.acquire();
  expect_blocked({Waitable::lock, &lock, sizeof lock, "a lock", [&] { const Guard guard(lock); },
                  [&] { lock.release(); }});
}

TEST(State, IsBlockedOnASemaphore) {
  Semaphore semaphore(0);
  expect_blocked({Waitable::semaphore, &semaphore, sizeof semaphore, "a semaphore",
                  [&] { semaphore.acquire(); }, [&] { semaphore.release(); }});
}

TEST(State, IsBlockedOnAnEvent) {
  Event event;
  expect_blocked({Waitable::event, &event, sizeof event, "an event", [&] { event.wait(); },
                  [&] { event.set(); }});
}

TEST(State, IsBlockedOnAnEventAlsoWithADeadlineAndAToken) {
  Event event;
  std::stop_source source;
  expect_blocked({Waitable::event, &event, sizeof event, "an event",
                  [&] { (void)event.wait(Deadline(1h).or_stop(source.get_token())); },
                  [&] { source.request_stop(); }});
}

TEST(State, IsBlockedOnACondition) {
  RLock lock;
  Condition condition(lock);
  expect_blocked({Waitable::condition, &condition, sizeof condition, "a condition",
                  [&] {
                    const Guard guard(lock);
                    condition.wait();
                  },
                  [&] {
                    const Guard guard(lock);
                    condition.notify();
                  }});
}

TEST(State, IsBlockedOnABarrier) {
  Barrier barrier(2);
  expect_blocked({Waitable::barrier, &barrier, sizeof barrier, "a barrier",
                  [&] { (void)barrier.wait(); }, [&] { (void)barrier.wait(); }});
}

TEST(State, IsBlockedInQueueGetWithTheQueuesName) {
  Queue<int> queue({.maxsize = 1, .name = "jobs"});
  expect_blocked({Waitable::queue_get, &queue, sizeof queue, "a queue (get) \"jobs\"",
                  [&] { (void)queue.get(); }, [&] { queue.put(1); }});
}

TEST(State, IsBlockedInQueuePutWithTheQueuesName) {
  Queue<int> queue({.maxsize = 1, .name = "jobs"});
  queue.put(1);
  expect_blocked({Waitable::queue_put, &queue, sizeof queue, "a queue (put) \"jobs\"",
                  [&] { queue.put(2); }, [&] { (void)queue.get(); }});
}

TEST(State, IsBlockedInQueueJoinWithTheQueuesName) {
  Queue<int> queue({.name = "jobs"});
  queue.put(1);
  expect_blocked({Waitable::queue_join, &queue, sizeof queue, "a queue (join) \"jobs\"",
                  [&] { queue.join(); }, [&] { queue.task_done(); }});
}

TEST(State, IsBlockedInAQueueWithoutAName) {
  LifoQueue<int> queue;
  expect_blocked({Waitable::queue_get, &queue, sizeof queue, "a queue (get)",
                  [&] { (void)queue.get(); }, [&] { queue.put(1); }});
  PriorityQueue<int> ordered;
  expect_blocked({Waitable::queue_get, &ordered, sizeof ordered, "a queue (get)",
                  [&] { (void)ordered.get(); }, [&] { ordered.put(1); }});
}

TEST(State, IsBlockedInJoinOfAThread) {
  Event leave;
  Thread joined([&] { leave.wait(); });
  joined.start();
  Thread joiner([&] { joined.join(); });
  joiner.start();
  const ThreadState state = until_blocked(joiner, Waitable::thread);
  EXPECT_TRUE(state.text().starts_with("blocked on a thread (join) at 0x")) << state.text();
  leave.set();
}

TEST(State, IsBlockedInASystemCallThatIsNotOurs) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  Thread thread([&] {
    char c = 0;
    while (read(pipe_ends[0], &c, 1) < 0) {
    }
  });
  thread.start();
  const ThreadState state = until_blocked(thread, Waitable::nothing);
  EXPECT_EQ(state.blocked_on.object, nullptr);
  EXPECT_EQ(state.text(), "blocked on a system call");
  EXPECT_EQ(write(pipe_ends[1], "x", 1), 1);
  thread.join();
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(State, SinceIsFromBelow) {
  Event event;
  Thread thread([&] { event.wait(); });
  thread.start();
  const std::int64_t since = until_blocked(thread, Waitable::event).blocked_on.since_ns;
  const test::Stopwatch watch;
  test::until([&] { return watch.elapsed() > 3ms; });
  EXPECT_EQ(until_blocked(thread, Waitable::event).blocked_on.since_ns, since);
  EXPECT_GE(Deadline::now_ns() - since, 3'000'000);
  event.set();
}

TEST(State, OfAThreadNotMadeByUsIsKnownToo) {
  Event event;
  ThreadHandle handle;
  Event known;
  std::thread foreign([&] {
    handle = current_thread();
    known.set();
    event.wait();
  });
  known.wait();
  EXPECT_EQ(until_blocked(handle, Waitable::event).blocked_on.object, &event);
  event.set();
  foreign.join();
  EXPECT_EQ(handle.state().life, Life::terminated);
}

TEST(State, OfAThreadThatComesAndGoesIsNeverNonsense) {
  for (int round = 0; round < 200; ++round) {
    Thread thread([] {});
    thread.start();
    Life last = Life::new_;
    test::until([&] {
      const ThreadState state = thread.state();
      EXPECT_NE(state.life, Life::new_);
      EXPECT_EQ(state.end == End::alive, state.life != Life::terminated);
      last = state.life;
      return last == Life::terminated;
    });
  }
}

TEST(Text, NamesTheThreadAndItsIds) {
  Thread thread({.name = "reader", .daemon = true}, [] {});
  EXPECT_EQ(thread.text(), "\"reader\" (daemon), ident 0, native id 0: new");
  thread.start();
  thread.join();
  EXPECT_EQ(thread.text(), "\"reader\" (daemon), ident " + std::to_string(thread.ident()) +
                               ", native id " + std::to_string(thread.native_id()) +
                               ": terminated, returned");
}

// --- Stacks

TEST(Stack, HoldsTheLocalsOfItsThread) {
  StackInfo info;
  const char* local_address = nullptr;
  Thread thread([&] {
    const volatile char local = 0;
    // The frame's own: a sanitizer may keep locals elsewhere.
    local_address = static_cast<const char*>(__builtin_frame_address(0));
    (void)local;
    info = current_thread().stack().value();
  });
  EXPECT_FALSE(thread.stack()) << "nothing before start()";
  thread.start();
  thread.join();
  EXPECT_FALSE(thread.stack()) << "nothing after the end";
  const char* const base = static_cast<const char*>(info.base);
  EXPECT_GE(local_address, base);
  EXPECT_LT(local_address, base + info.size_bytes);
  EXPECT_GT(info.peak_bytes, 0u);
  EXPECT_LE(info.peak_bytes, info.size_bytes);
  EXPECT_GE(info.peak_bytes, static_cast<std::size_t>(base + info.size_bytes - local_address));
}

TEST(Stack, OfTheMainThreadHoldsItsLocals) {
  const StackInfo info = current_thread().stack().value();
  const char* const here = static_cast<const char*>(__builtin_frame_address(0));
  EXPECT_GE(here, static_cast<const char*>(info.base));
  EXPECT_LT(here, static_cast<const char*>(info.base) + info.size_bytes);
  EXPECT_GT(info.peak_bytes, 0u);
}

TEST(Stack, OfOthersDoesNotOverlap) {
  Event leave;
  Thread first([&] { leave.wait(); }), second([&] { leave.wait(); });
  first.start();
  second.start();
  until_blocked(first, Waitable::event);
  until_blocked(second, Waitable::event);
  const StackInfo a = first.stack().value(), b = second.stack().value();
  EXPECT_TRUE(static_cast<const char*>(a.base) + a.size_bytes <= b.base ||
              static_cast<const char*>(b.base) + b.size_bytes <= a.base);
  leave.set();
}

// The address sanitizer must not put its variables elsewhere.
__attribute__((noinline, no_sanitize("address"))) int recurse(int depth) {
  volatile char frame[1024];
  std::memset(const_cast<char*>(frame), depth, sizeof frame);
  return depth == 0 ? 0 : recurse(depth - 1) + frame[depth % 1024];
}

TEST(Stack, PeakGrowsWithDeepRecursionAndStays) {
  std::size_t before = 0, after = 0;
  Thread thread([&] {
    before = current_thread().stack().value().peak_bytes;
    (void)recurse(256);
    after = current_thread().stack().value().peak_bytes;
  });
  thread.start();
  thread.join();
  EXPECT_GE(after, before + 200 * 1024);
}

// --- Switches

TEST(Switches, VoluntaryOnesGrowByBlocking) {
  Semaphore ping(0), pong(0);
  Switches by_itself;
  Thread thread([&] {
    for (;;) {
      ping.acquire();
      pong.release();
      if (current_thread().stop_token().stop_requested()) break;
    }
    by_itself = current_thread().switches().value();
  });
  thread.start();
  until_blocked(thread, Waitable::semaphore);
  const Switches before = thread.switches().value();
  for (int i = 0; i < 10; ++i) {
    until_blocked(thread, Waitable::semaphore);
    ping.release();
    pong.acquire();
  }
  until_blocked(thread, Waitable::semaphore);
  const Switches after = thread.switches().value();
  EXPECT_GE(after.voluntary, before.voluntary + 10);
  EXPECT_GE(after.involuntary, before.involuntary);
  thread.request_stop();
  ping.release();
  thread.join();
  EXPECT_GE(by_itself.voluntary, after.voluntary) << "the thread and others see the same";
  EXPECT_GE(by_itself.involuntary, after.involuntary);
}

TEST(Switches, AreOfThreadsThatRun) {
  Thread thread([] {});
  EXPECT_EQ(thread.switches(), std::nullopt) << "new";
  thread.start();
  thread.join();
  EXPECT_EQ(thread.switches(), std::nullopt) << "terminated";
}

TEST(Switches, InvoluntaryOnesGrowWhereTwoCompute) {
  const test::OneProcessor one;
  std::atomic<bool> stop{false};
  const auto compute = [&] {
    while (!stop) {
    }
  };
  Thread first(compute), second(compute);
  first.start();
  second.start();
  test::until([&] {
    return first.switches().value().involuntary + second.switches().value().involuntary > 0;
  });
  stop = true;
}

}  // namespace
}  // namespace thrum
