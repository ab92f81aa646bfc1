// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What holds a lock: the counter is read and written back by two threads.
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "coverage.h"

namespace {

using std::chrono::hours;
using std::chrono::steady_clock;

std::atomic<int> count{0};

void add() {
  const int seen = count.load();
  count.store(seen + 1);
}

// `take` returns what holds the lock. Wrong: one of the two goes without.
template <class Take>
void two_add(int wrong, Take take) {
  std::thread other([&] {
    const auto held = take();
    add();
  });
  if (wrong) {
    add();
  } else {
    const auto held = take();
    add();
  }
  other.join();
  assert(count.load() == 2);
}

void mutex(int wrong) {
  std::mutex lock;
  two_add(wrong, [&] { return std::unique_lock(lock); });
}
void mutex_try_lock(int wrong) {
  std::mutex lock;
  two_add(wrong, [&] {
    while (!lock.try_lock()) std::this_thread::yield();
    return std::unique_lock(lock, std::adopt_lock);
  });
}
void recursive_mutex(int wrong) {
  std::recursive_mutex lock;
  two_add(wrong, [&] {
    std::unique_lock outer(lock);
    const std::lock_guard inner(lock);
    return outer;
  });
}
template <class Mutex>
void timed(int wrong) {
  Mutex lock;
  two_add(wrong, [&] {
    std::unique_lock held(lock, std::defer_lock);
    while (!held.try_lock_for(hours(1)) && !held.try_lock_until(steady_clock::now() + hours(1))) {
    }
    return held;
  });
}
// Wrong: goes on as if it had the lock when the time was up.
void timed_mutex_gives_up(int wrong) {
  std::timed_mutex lock;
  std::thread other([&] {
    const std::lock_guard held(lock);
    add();
  });
  {
    const std::unique_lock held(lock, hours(1));
    if (held.owns_lock() || wrong) add();
  }
  other.join();
  if (wrong) assert(count.load() == 2);
}
// Wrong: all are readers.
template <class Mutex>
void shared(int wrong) {
  Mutex lock;
  const auto adds = [&] {
    if (wrong) {
      const std::shared_lock held(lock);
      add();
    } else {
      const std::unique_lock held(lock);
      add();
    }
  };
  std::thread other(adds);
  adds();
  other.join();
  const std::shared_lock held(lock);
  assert(count.load() == 2);
}
void shared_timed_mutex(int wrong) {
  std::shared_timed_mutex lock;
  shared<std::shared_timed_mutex>(wrong);
  count = 0;
  two_add(wrong, [&] {
    std::unique_lock held(lock, std::defer_lock);
    while (!held.try_lock_for(hours(1))) {
      if (std::shared_lock(lock, hours(1)).owns_lock()) continue;
    }
    return held;
  });
}
// Wrong: in two orders.
void scoped_lock(int wrong) {
  std::mutex a, b;
  const auto both = [&](std::mutex& first, std::mutex& second) {
    if (wrong) {
      const std::lock_guard one(first);
      const std::lock_guard two(second);
      add();
    } else {
      const std::scoped_lock held(first, second);
      add();
    }
  };
  std::thread other([&] { both(b, a); });
  both(a, b);
  other.join();
  assert(count.load() == 2);
}

std::atomic<int> made{0};
struct Slow {
  Slow() {
    ++made;
    std::this_thread::yield();
    value = 1;
  }
  int value = 0;
};
int only() {
  static const Slow one;
  return one.value;
}
std::atomic<Slow*> by_hand{nullptr};
// Wrong: an initialisation by hand.
void static_local(int wrong) {
  const auto use = [&] {
    if (!wrong) {
      assert(only() == 1);
    } else if (by_hand.load() == nullptr) {
      by_hand = new Slow;
    }
  };
  std::thread other(use);
  use();
  other.join();
  assert(made.load() == 1);
  delete by_hand.load();
}
// The first try throws. Wrong: a flag of its own.
void call_once(int wrong) {
  std::once_flag once;
  std::atomic<bool> done{false};
  int tries = 0;
  const auto make = [&] {
    if (++tries == 1) throw 1;
    ++made;
  };
  const auto use = [&] {
    for (;;) try {
        if (!wrong) {
          std::call_once(once, make);
        } else if (!done.load()) {
          ++made;
          done = true;
        }
        return;
      } catch (int) {
      }
  };
  std::thread other(use);
  use();
  other.join();
  assert(made.load() == 1);
  if (!wrong) assert(tries == 2);
}
// The free functions lock a pool of mutexes inside libstdc++.
void shared_ptr_functions(int wrong) {
  std::shared_ptr<int> shared = std::make_shared<int>(0);
  const auto adds = [&] {
    auto seen = std::atomic_load(&shared);
    auto next = std::make_shared<int>(*seen + 1);
    if (wrong) {
      std::atomic_store(&shared, next);
    } else {
      while (!std::atomic_compare_exchange_strong(&shared, &seen, next)) {
        next = std::make_shared<int>(*seen + 1);
      }
    }
  };
  std::thread other(adds);
  adds();
  other.join();
  assert(*shared == 2);
}

const Case cases[] = {
    {"mutex", "assertion failed", mutex},
    {"mutex_try_lock", "assertion failed", mutex_try_lock},
    {"recursive_mutex", "assertion failed", recursive_mutex},
    {"timed_mutex", "assertion failed", timed<std::timed_mutex>},
    {"recursive_timed_mutex", "assertion failed", timed<std::recursive_timed_mutex>},
    {"timed_mutex_gives_up", "assertion failed", timed_mutex_gives_up},
    {"shared_mutex", "assertion failed", shared<std::shared_mutex>},
    {"shared_timed_mutex", "assertion failed", shared_timed_mutex},
    {"scoped_lock", "deadlock", scoped_lock},
    {"static_local", "assertion failed", static_local},
    {"call_once", "assertion failed", call_once},
    {"shared_ptr_functions", "assertion failed", shared_ptr_functions},
};

}  // namespace

RUN_CASES(cases)
