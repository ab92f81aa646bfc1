// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Abseil as Debian ships it: its library is not instrumented, its headers are.
// Needs: libabsl-dev
// Links: absl_synchronization
#include <absl/base/call_once.h>
#include <absl/synchronization/barrier.h>
#include <absl/synchronization/blocking_counter.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>

#include <atomic>
#include <thread>

#include "coverage.h"

namespace {

std::atomic<int> count{0};

void add() {
  const int seen = count.load();
  count.store(seen + 1);
}

// Wrong: one of the two does not lock.
void mutex(int wrong) {
  absl::Mutex lock;
  int plain = 0;
  const auto work = [&](bool locks) {
    if (locks) {
      const absl::MutexLock held(&lock);
      add();
      ++plain;
    } else {
      add();
    }
  };
  std::thread other(work, true);
  work(!wrong);
  other.join();
  assert(count.load() == 2);
}
// Wrong: both are readers.
void reader_lock(int wrong) {
  absl::Mutex lock;
  const auto work = [&] {
    if (wrong) {
      const absl::ReaderMutexLock held(&lock);
      add();
    } else {
      const absl::WriterMutexLock held(&lock);
      add();
    }
  };
  std::thread other(work);
  work();
  other.join();
  assert(count.load() == 2);
}
// Wrong: waits whether or not it has happened.
void condition(int wrong) {
  absl::Mutex lock;
  absl::CondVar changed;
  bool ready = false;
  std::thread other([&] {
    const absl::MutexLock held(&lock);
    ready = true;
    changed.Signal();
  });
  {
    const absl::MutexLock held(&lock);
    while (!ready || wrong) {
      changed.Wait(&lock);
      if (wrong) break;
    }
  }
  other.join();
}
// Wrong: the value is set after the condition has become true.
void await(int wrong) {
  absl::Mutex lock;
  bool ready = false;
  std::atomic<int> value{0};
  std::thread other([&] {
    if (!wrong) value = 1;
    {
      const absl::MutexLock held(&lock);
      ready = true;
    }
    value = 1;
  });
  {
    const absl::MutexLock held(&lock, absl::Condition(&ready));
    assert(value.load() == 1);
  }
  other.join();
}
void await_timed(int wrong) {
  absl::Mutex lock;
  bool ready = false;
  std::thread other([&] {
    const absl::MutexLock held(&lock);
    ready = true;
  });
  {
    const absl::MutexLock held(&lock);
    const absl::Condition is_ready(&ready);
    bool done = lock.AwaitWithTimeout(is_ready, absl::Hours(1));
    while (!wrong && !done) done = lock.AwaitWithTimeout(is_ready, absl::Hours(1));
    assert(done);
  }
  other.join();
}
void notification(int wrong) {
  absl::Notification done;
  std::thread other([&] {
    if (!wrong) add();
    done.Notify();
    if (wrong) add();
  });
  done.WaitForNotification();
  assert(count.load() == 1);
  other.join();
}
void blocking_counter(int wrong) {
  absl::BlockingCounter left(2);
  const auto work = [&] {
    if (!wrong) count.fetch_add(1);
    left.DecrementCount();
    if (wrong) count.fetch_add(1);
  };
  std::thread one(work), two(work);
  left.Wait();
  assert(count.load() == 2);
  one.join();
  two.join();
}
void call_once(int wrong) {
  absl::once_flag once;
  std::atomic<bool> done{false};
  const auto work = [&] {
    if (!wrong) {
      absl::call_once(once, [] { count.fetch_add(1); });
    } else if (!done.load()) {
      count.fetch_add(1);
      done = true;
    }
    assert(count.load() == 1);
  };
  std::thread other(work);
  work();
  other.join();
}

const Case cases[] = {
    {"mutex", "assertion failed", mutex},
    {"reader_lock", "assertion failed", reader_lock},
    {"condition", "lost wake-up", condition},
    {"await", "assertion failed", await},
    {"await_timed", "assertion failed", await_timed},
    {"notification", "assertion failed", notification},
    {"blocking_counter", "assertion failed", blocking_counter},
    {"call_once", "assertion failed", call_once},
};

}  // namespace

RUN_CASES(cases)
