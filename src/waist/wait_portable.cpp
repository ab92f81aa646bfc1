// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The waist on the standard library alone: a table of queues, hashed by address. Slower than
// futexes and stricter than needed (it never wakes spuriously), but nothing above can tell.
// Each sleeper has a condition variable of its own, so glibc bug 25847 (a signal stolen among the
// waiters of one pthread_cond) cannot happen here.
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <new>
#include <stop_token>

#include "waist/sleep.h"

namespace thrum {
namespace waist {
namespace {

struct Sleeper {
  explicit Sleeper(const Word* sleeps_on) : word(sleeps_on) {}

  const Word* word;
  Sleeper* next = nullptr;
  bool woken = false;
  bool stopped = false;
  std::condition_variable wake_up;
};

// First come, first served.
struct Bucket {
  std::mutex mutex;
  Sleeper* first = nullptr;

  void push(Sleeper& sleeper) {
    Sleeper** end = &first;
    while (*end != nullptr) end = &(*end)->next;
    *end = &sleeper;
  }
  void remove(Sleeper& sleeper) {
    for (Sleeper** at = &first; *at != nullptr; at = &(*at)->next) {
      if (*at == &sleeper) {
        *at = sleeper.next;
        return;
      }
    }
  }
};

using Table = std::array<Bucket, 256>;

Table& table() {
  // Never destroyed: a thread may wait while statics are destroyed. Created on first use, which
  // needs no memory: a wait does not fail.
  alignas(Table) static constinit std::array<std::byte, sizeof(Table)> memory{};
  static Table& made = *::new (memory.data()) Table;
  return made;
}

Bucket& bucket_of(const Word* word) {
  // Fibonacci hashing (Knuth, TAOCP 6.4).
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(word));
  return table()[(address >> 2) * 0x9E3779B97F4A7C15u >> 56];
}

}  // namespace

Wake sleep(const Word& word, std::uint32_t expected, const Deadline& deadline) noexcept {
  Bucket& bucket = bucket_of(&word);
  Sleeper me(&word);
  // Its destructor waits for a callback in progress, so it must run without the bucket's mutex.
  const std::stop_callback on_stop(deadline.stop(), [&me, &bucket] {
    const std::lock_guard guard(bucket.mutex);
    me.stopped = true;
    me.wake_up.notify_one();  // with the mutex held: afterwards `me` may be gone
  });
  std::unique_lock guard(bucket.mutex);
  // relaxed: a wake() that follows the store of a new value takes the mutex after us
  if (word.load(std::memory_order_relaxed) != expected) return Wake::changed;
  bucket.push(me);
  while (!me.woken && !me.stopped) {
    if (deadline.is_forever()) {
      me.wake_up.wait(guard);
    } else if (me.wake_up.wait_until(guard, Deadline::Clock::time_point(std::chrono::nanoseconds(
                                                deadline.at_ns()))) == std::cv_status::timeout) {
      break;
    }
  }
  if (me.woken) return Wake::woken;  // also if time or stop coincide
  bucket.remove(me);
  return me.stopped ? Wake::stopped : Wake::timeout;
}

void park_for_good() noexcept {
  Word never{0};
  for (;;) (void)sleep(never, 0, forever);
}

std::uint32_t native_id() noexcept {
#if defined(__linux__)
  return static_cast<std::uint32_t>(::gettid());
#else
  static constinit Word last{0};
  return last.fetch_add(1, std::memory_order_relaxed) % ((1u << 30) - 1) + 1;  // only unique
#endif
}

bool arm_barrier() noexcept { return false; }
bool barrier() noexcept { return false; }

void before_fork() noexcept {
  for (Bucket& bucket : table()) bucket.mutex.lock();
}

void after_fork(Side side) noexcept {
  for (Bucket& bucket : table()) {
    // On stacks that the child's threads will use again.
    if (side == Side::child) bucket.first = nullptr;
    bucket.mutex.unlock();
  }
}

}  // namespace waist

int wake(const Word* word, int count) noexcept {
  waist::Bucket& bucket = waist::bucket_of(word);
  const std::lock_guard guard(bucket.mutex);
  int woken = 0;
  for (waist::Sleeper** at = &bucket.first; *at != nullptr && woken < count;) {
    waist::Sleeper& sleeper = **at;
    if (sleeper.word != word) {
      at = &sleeper.next;
      continue;
    }
    *at = sleeper.next;
    sleeper.woken = true;
    sleeper.wake_up.notify_one();  // with the mutex held: afterwards the sleeper may be gone
    ++woken;
  }
  return woken;
}

int requeue(const Word* from, const Word*, int count) noexcept { return wake(from, count); }

}  // namespace thrum
