// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What waits for another thread.
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <thread>

#include "coverage.h"

namespace {

using std::chrono::hours;
using std::chrono::steady_clock;

std::atomic<int> data{0};

// Another thread says by `tell` that it has written, which `wait` waits for. Wrong: it says so
// first.
template <class Tell, class Wait>
void written_before(int wrong, Tell tell, Wait wait) {
  std::thread other([&] {
    if (!wrong) data = 1;
    tell();
    if (wrong) data = 1;
  });
  wait();
  assert(data.load() == 1);
  other.join();
}

// Wrong: waits whether or not it has happened already.
template <class Condition>
void await(std::mutex& lock, Condition& happened, const bool& ready, int wrong) {
  std::unique_lock held(lock);
  if (wrong) {
    happened.wait(held);
  } else {
    happened.wait(held, [&] { return ready; });
    assert(ready);
  }
}
template <class Condition>
void condition(int wrong) {
  std::mutex lock;
  Condition happened;
  bool ready = false;
  std::thread other([&] {
    {
      const std::lock_guard held(lock);
      ready = true;
    }
    happened.notify_one();
  });
  await(lock, happened, ready, wrong);
  other.join();
}
// Wrong: takes the end of the time for the event.
template <class Condition>
void condition_timed(int wrong) {
  std::mutex lock;
  Condition happened;
  bool ready = false;
  std::thread other([&] {
    const std::lock_guard held(lock);
    ready = true;
    happened.notify_all();
  });
  {
    std::unique_lock held(lock);
    const auto is_ready = [&] { return ready; };
    if (wrong) {
      happened.wait_for(held, hours(1), is_ready);
    } else {
      while (!happened.wait_for(held, hours(1), is_ready) &&
             !happened.wait_until(held, steady_clock::now() + hours(1), is_ready) &&
             !happened.wait_until(held, std::chrono::system_clock::now() + hours(1), is_ready)) {
      }
    }
    assert(ready);
  }
  other.join();
}
// Two wait for different things on one condition. Wrong: one of them is woken, perhaps the other.
void condition_notify_all(int wrong) {
  std::mutex lock;
  std::condition_variable changed;
  int turn = 0;
  const auto wait_for = [&](int mine) {
    std::unique_lock held(lock);
    changed.wait(held, [&] { return turn == mine; });
    turn = mine + 1;
    wrong ? changed.notify_one() : changed.notify_all();
  };
  std::thread one(wait_for, 1), two(wait_for, 2);
  {
    const std::lock_guard held(lock);
    turn = 1;
  }
  wrong ? changed.notify_one() : changed.notify_all();
  one.join();
  two.join();
}
// Wrong: the predicate is asked for, but nobody asks for the stop.
void condition_any_stop(int wrong) {
  std::mutex lock;
  std::condition_variable_any never;
  std::jthread waiter([&](std::stop_token stop) {
    std::unique_lock held(lock);
    if (wrong) {
      if (!stop.stop_requested()) never.wait(held);
    } else {
      assert(!never.wait(held, stop, [] { return false; }));
      assert(stop.stop_requested());
    }
  });
  waiter.request_stop();
  if (wrong) never.notify_all();
}
void notify_at_thread_exit(int wrong) {
  std::mutex lock;
  std::condition_variable left;
  bool ready = false;
  std::thread other([&] {
    std::unique_lock held(lock);
    ready = true;
    std::notify_all_at_thread_exit(left, std::move(held));
  });
  await(lock, left, ready, wrong);
  other.join();
}

template <class T>
void atomic_wait(int wrong) {
  std::atomic<T> ready{0};
  const auto tell = [&] {
    ready.store(1);
    ready.notify_one();
  };
  written_before(wrong, tell, [&] { ready.wait(0); });
}
void atomic_flag_wait(int wrong) {
  std::atomic_flag ready;
  const auto tell = [&] {
    ready.test_and_set();
    ready.notify_all();
  };
  written_before(wrong, tell, [&] { ready.wait(false); });
}
// Wrong: nobody is told.
void atomic_notify(int wrong) {
  std::atomic<int> ready{0};
  std::thread other([&] {
    ready.store(1);
    if (!wrong) ready.notify_one();
  });
  ready.wait(0);
  other.join();
}

void counting_semaphore(int wrong) {
  std::counting_semaphore<4> free(wrong ? 2 : 1);
  std::atomic<int> inside{0};
  const auto use = [&] {
    // libstdc++ 12's acquire() can sleep on a permit that is there, which is found.
    if (wrong) {
      free.acquire();
    } else {
      while (!free.try_acquire_for(hours(1))) {
      }
    }
    assert(inside.fetch_add(1) == 0);
    inside.fetch_sub(1);
    free.release();
  };
  std::thread other(use);
  use();
  other.join();
}
void binary_semaphore(int wrong) {
  std::binary_semaphore ready(0);
  const auto wait = [&] {
    while (!ready.try_acquire() && !ready.try_acquire_for(hours(1)) &&
           !ready.try_acquire_until(steady_clock::now() + hours(1))) {
    }
  };
  written_before(wrong, [&] { ready.release(); }, wait);
}
void latch(int wrong) {
  std::latch ready(2);
  const auto work = [&] {
    if (!wrong) ++data;
    ready.count_down();
    if (wrong) ++data;
  };
  std::thread one(work), two(work);
  ready.wait();
  assert(ready.try_wait() && data.load() == 2);
  one.join();
  two.join();
}
void barrier(int wrong) {
  int rounds = 0;
  std::barrier all(2, [&]() noexcept { ++rounds; });
  const auto work = [&] {
    for (int i = 1; i <= 2; ++i) {
      ++data;
      if (!wrong) all.arrive_and_wait();
      assert(data.load() >= 2 * i);
      if (wrong) all.arrive_and_wait();
      all.arrive_and_wait();
    }
  };
  std::thread other(work);
  work();
  other.join();
  assert(rounds == 4);
}

const Case cases[] = {
    {"condition", "lost wake-up", condition<std::condition_variable>},
    {"condition_any", "lost wake-up", condition<std::condition_variable_any>},
    {"condition_timed", "assertion failed", condition_timed<std::condition_variable>},
    {"condition_any_timed", "assertion failed", condition_timed<std::condition_variable_any>},
    {"condition_notify_all", "lost wake-up", condition_notify_all},
    {"condition_any_stop", "lost wake-up", condition_any_stop},
    {"notify_at_thread_exit", "lost wake-up", notify_at_thread_exit},
    {"atomic_wait", "assertion failed", atomic_wait<int>},
    {"atomic_wait_of_a_byte", "assertion failed", atomic_wait<signed char>},
    {"atomic_wait_of_eight", "assertion failed", atomic_wait<long>},
    {"atomic_flag_wait", "assertion failed", atomic_flag_wait},
    {"atomic_notify", "lost wake-up", atomic_notify},
    {"counting_semaphore", "assertion failed", counting_semaphore},
    {"binary_semaphore", "assertion failed", binary_semaphore},
    {"latch", "assertion failed", latch},
    {"barrier", "assertion failed", barrier},
};

}  // namespace

RUN_CASES(cases)
