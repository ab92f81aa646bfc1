// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "thrum/lock.h"
#include "thrum/wait.h"
#include "waist/self.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::true_in_child;

std::vector<std::uint64_t> listed() {
  std::vector<std::uint64_t> idents;
  const waist::Registry registry;
  for (const waist::Node* node = registry.first(); node != nullptr; node = node->next) {
    idents.push_back(node->ident);
  }
  return idents;
}

bool is_listed(std::uint64_t ident) {
  const std::vector<std::uint64_t> all = listed();
  return std::find(all.begin(), all.end(), ident) != all.end();
}

waist::Node* node_of(std::uint64_t ident) {
  const waist::Registry registry;
  waist::Node* node = registry.first();
  while (node != nullptr && node->ident != ident) node = node->next;
  return node;
}

TEST(Self, IsTheSameEachTimeAndNeverZero) {
  const Self first = self();
  EXPECT_NE(first.native_id, 0u);
  EXPECT_NE(first.ident, 0u);
  EXPECT_LT(first.native_id, 1u << 30);
  EXPECT_EQ(self().native_id, first.native_id);
  EXPECT_EQ(self().ident, first.ident);
}

TEST(Self, NativeIdIsTheKernelsId) {
  if (!test::words_are_futexes()) GTEST_SKIP() << "the portable waist counts its threads";
  EXPECT_EQ(self().native_id, static_cast<std::uint32_t>(gettid()));
  std::thread([] { EXPECT_EQ(self().native_id, static_cast<std::uint32_t>(gettid())); }).join();
}

TEST(Self, IdentIsNeverReused) {
  std::set<std::uint64_t> seen{self().ident};
  std::atomic<std::uint64_t> ident{0};
  for (int i = 0; i < 200; ++i) {
    std::thread([&] { ident = self().ident; }).join();
    EXPECT_TRUE(seen.insert(ident).second);
  }
}

TEST(Self, IdentsAreUniqueAmongThreadsThatRunTogether) {
  std::atomic<int> ready{0};
  std::vector<std::uint64_t> idents(8), natives(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < idents.size(); ++i) {
    threads.emplace_back([&, i] {
      idents[i] = self().ident;
      natives[i] = self().native_id;
      ++ready;
      test::until([&] { return ready == 8; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set(idents.begin(), idents.end()).size(), idents.size());
  EXPECT_EQ(std::set(natives.begin(), natives.end()).size(), natives.size());
}

TEST(Registry, ListsAThreadFromItsFirstUseToItsEnd) {
  std::atomic<bool> started{false}, enroll{false}, leave{false};
  std::atomic<std::uint64_t> ident{0};
  const std::size_t before = listed().size();
  std::thread thread([&] {
    started = true;
    test::until([&] { return enroll.load(); });
    ident = self().ident;
    test::until([&] { return leave.load(); });
  });
  test::until([&] { return started.load(); });
  EXPECT_EQ(listed().size(), before) << "a thread that never needed an id costs nothing";
  enroll = true;
  test::until([&] { return ident != 0; });
  EXPECT_TRUE(is_listed(ident));
  leave = true;
  thread.join();
  EXPECT_FALSE(is_listed(ident));
  EXPECT_TRUE(is_listed(self().ident));
}

struct AtExit {
  bool* destroyed;
  ~AtExit() {
    if (destroyed != nullptr) *destroyed = true;
  }
};
thread_local AtExit at_exit{nullptr};

TEST(Registry, TellsTheOwnerWhenTheThreadHasEnded) {
  std::atomic<int> gone{-1};
  bool destroyed = false;
  struct Owner {
    std::atomic<int>* gone;
    bool* destroyed;
  } owner{&gone, &destroyed};
  std::thread([&] {
    at_exit.destroyed = &destroyed;
    waist::Node& me = waist::this_node();
    me.owner = &owner;
    me.on_gone = [](void* o, waist::Gone how) {
      EXPECT_TRUE(*static_cast<Owner*>(o)->destroyed) << "thread_locals die first";
      *static_cast<Owner*>(o)->gone = static_cast<int>(how);
    };
  }).join();
  EXPECT_EQ(gone, static_cast<int>(waist::Gone::ended));
}

TEST(Registry, ALockWorksInTheDestructorOfAnotherKey) {
  static Lock lock;
  static std::atomic<int> locked;
  locked = 0;
  pthread_key_t key{};
  ASSERT_EQ(pthread_key_create(&key,
                               [](void*) {
                                 const Guard guard(lock);
                                 ++locked;
                               }),
            0);
  std::thread([&] {
    (void)self();
    pthread_setspecific(key, &key);
  }).join();
  pthread_key_delete(key);
  EXPECT_EQ(locked, 1);
}

TEST(Registry, GivesUpAtTheDeadline) {
  const waist::Registry holder;
  std::thread([] {
    const test::Stopwatch watch;
    EXPECT_FALSE(waist::Registry(nonblocking).held());
    EXPECT_FALSE(waist::Registry(Deadline(20ms)).held());
    EXPECT_GE(watch.elapsed(), 20ms);
  }).join();
}

TEST(Registry, ListsWhoHoldsIt) {
  std::thread([] {
    const waist::Registry registry(nonblocking);
    ASSERT_TRUE(registry.held());
    EXPECT_EQ(registry.first()->ident, self().ident);
  }).join();
}

TEST(Registry, IsSafeWhileThreadsComeAndGo) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> churners;
  for (int i = 0; i < 2; ++i) {
    churners.emplace_back([&] {
      while (!stop) std::thread([] { (void)self(); }).join();
    });
  }
  for (int i = 0; i < 200; ++i) (void)listed();
  stop = true;
  for (std::thread& churner : churners) churner.join();
}

TEST(Fork, TheChildKeepsIdentAndHasItsOwnNativeId) {
  const Self parent = self();
  EXPECT_TRUE(true_in_child([&] {
    const Self child = self();
    return child.ident == parent.ident && child.native_id != parent.native_id &&
           (!test::words_are_futexes() || child.native_id == static_cast<std::uint32_t>(getpid()));
  }));
  EXPECT_EQ(self().native_id, parent.native_id);
}

TEST(Fork, TheChildListsOnlyTheForkingThread) {
  static std::atomic<int> forked;
  forked = 0;
  Word word{0};
  Actor other([&] {
    waist::Node& me = waist::this_node();
    me.on_gone = [](void*, waist::Gone how) { forked += how == waist::Gone::forked; };
    me.owner = &me;
    while (word.load(std::memory_order_acquire) == 0) (void)wait(word, 0, forever);
    me.owner = nullptr;
  });
  other.until_blocked_on(word);
  EXPECT_TRUE(true_in_child(
      [] { return forked == 1 && listed() == std::vector<std::uint64_t>{self().ident}; }));
  EXPECT_EQ(forked, 0);
  word = 1;
  wake(&word, 1);
}

TEST(Fork, AThreadWithoutAnIdGetsAProperOneInTheChild) {
  (void)self();  // the fork handlers are there
  std::thread([] {
    EXPECT_TRUE(true_in_child([] {
      RLock free;
      return self().ident != 0 && is_listed(self().ident) && !free.is_owned();
    }));
  }).join();
}

TEST(Waits, PublishWhatTheyWaitFor) {
  Word word{0};
  int object = 0;
  std::atomic<std::uint64_t> ident{0};
  const std::int64_t before = Deadline::now_ns();
  Actor sleeper([&] {
    ident = self().ident;
    WaitingFor what{Waitable::queue_get, &object, "jobs"};
    while (word.load(std::memory_order_acquire) == 0) (void)wait(word, 0, forever, what);
  });
  test::until([&] { return test::is_blocked(sleeper.tid()) && ident != 0; });
  const WaitingFor seen = waist::blocked_on(*node_of(ident));
  EXPECT_EQ(seen.kind, Waitable::queue_get);
  EXPECT_EQ(seen.object, &object);
  EXPECT_STREQ(seen.name, "jobs");
  EXPECT_GE(seen.since_ns, before);
  EXPECT_LE(seen.since_ns, Deadline::now_ns());

  // Several sleeps on the way to one goal count as one.
  if (test::words_are_futexes()) {
    sleeper.interrupt();
    test::let_others_run();
    sleeper.until_blocked_on(word);
    EXPECT_EQ(waist::blocked_on(*node_of(ident)).since_ns, seen.since_ns);
  }
  word = 1;
  wake(&word, 1);
}

TEST(Waits, ThatNeverSleptPublishNothing) {
  const Word word{0};
  WaitingFor what{Waitable::word, &word};
  (void)wait(word, 0, nonblocking, what);
  (void)wait(word, 1, forever, what);
  EXPECT_EQ(what.since_ns, 0);
  (void)wait(word, 0, 1us, what);
  EXPECT_NE(what.since_ns, 0);
}

TEST(Waits, TakeBackWhatTheyPublished) {
  const Word word{0};
  (void)wait(word, 0, 1ms);
  EXPECT_EQ(waist::blocked_on(waist::this_node()).kind, Waitable::nothing);
}

TEST(Waits, AreReadWholeWhileTheyChange) {
  const Word word{0};
  const int objects[2]{};
  const char* const names[] = {"first", "second"};
  std::atomic<std::uint64_t> ident{0};
  std::atomic<bool> stop{false};
  Actor sleeper([&] {
    ident = self().ident;
    for (int i = 0; !stop; i ^= 1) {
      WaitingFor what{i == 0 ? Waitable::lock : Waitable::event, &objects[i], names[i], 1 + i};
      (void)wait(word, 0, 1us, what);
    }
  });
  test::until([&] { return ident != 0; });
  const waist::Node* const node = node_of(ident);
  for (int seen = 0; seen < 1000;) {
    const WaitingFor what = waist::blocked_on(*node);
    if (what.kind == Waitable::nothing) continue;
    const int i = what.kind == Waitable::lock ? 0 : 1;
    EXPECT_EQ(what.object, &objects[i]);
    EXPECT_EQ(what.name, names[i]);
    EXPECT_EQ(what.since_ns, 1 + i);
    ++seen;
  }
  stop = true;
}

// Runs in a process of its own: there is no way back.
void end_of_process_with_a_sleeper() {
  static Word word{0};
  static std::atomic<bool> returned{false};
  std::atomic<std::uint64_t> ident{0};
  std::thread sleeper([&] {
    ident = self().ident;
    while (word.load(std::memory_order_acquire) == 0) (void)wait(word, 0, forever);
    returned = true;
  });
  test::until([&] { return ident != 0; });
  const waist::Node& node = *node_of(ident);
  test::until([&] {
    return test::is_blocked(static_cast<pid_t>(node.native_id)) ||
           (!test::words_are_futexes() && waist::is_parked(node));
  });
  waist::begin_process_end();
  word = 1;
  wake(&word, 1);
  (void)wait(word, 1, 20ms);  // the caller itself goes on
  const bool parked = waist::is_parked(node) && !returned;
  sleeper.detach();
  _exit(parked ? 0 : 1);
}

TEST(ProcessEndDeathTest, ASleeperNeverReturns) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(end_of_process_with_a_sleeper(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace thrum
