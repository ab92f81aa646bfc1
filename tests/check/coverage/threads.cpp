// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Threads, what belongs to one, and what comes out of them.
#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "coverage.h"

namespace {

using namespace std::chrono_literals;

std::atomic<int> data{0};

// Wrong: reads before the thread has ended.
void thread(int wrong) {
  std::thread other([] { data = 1; });
  assert(other.get_id() != std::this_thread::get_id());
  if (!wrong) other.join();
  assert(data.load() == 1);
  if (wrong) other.join();
}
void detached(int wrong) {
  auto ended = std::make_shared<std::atomic<bool>>(false);
  std::thread([ended, wrong] {
    if (!wrong) data = 1;
    *ended = true;
    if (wrong) data = 1;
  }).detach();
  while (!ended->load()) std::this_thread::yield();
  assert(data.load() == 1);
}
// Wrong: sleeps, and takes it for an order.
void sleep(int wrong) {
  std::thread other([] { data = 1; });
  const auto before = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(24h);
  std::this_thread::sleep_until(std::chrono::system_clock::now() + 1s);
  assert(std::chrono::steady_clock::now() - before >= 24h);
  if (!wrong) other.join();
  assert(data.load() == 1);
  if (wrong) other.join();
}
// Wrong: nobody stops it before it looks.
void jthread(int wrong) {
  std::atomic<bool> ran{false};
  {
    std::jthread other([&](std::stop_token stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      ran = true;
    });
    if (wrong) {
      other.request_stop();
      assert(ran.load());
    }
  }
  assert(ran.load());
}
// The callback runs in whoever asks for the stop, and its destructor waits for it.
// Wrong: what it uses goes away before it.
void stop_callback(int wrong) {
  std::stop_source source;
  std::atomic<int>* const heap = new std::atomic<int>(0);
  {
    std::unique_ptr<std::atomic<int>> used(wrong ? heap : nullptr);
    std::thread other([&] { source.request_stop(); });
    {
      std::stop_callback callback(source.get_token(), [&] { ++*heap; });
      if (wrong) used.reset();
    }
    other.join();
  }
  if (!wrong) delete heap;
}

std::atomic<int> alive{0};
struct Counted {
  Counted() { ++alive; }
  ~Counted() {
    std::this_thread::yield();
    --alive;
  }
  int value = 0;
};
thread_local Counted mine;
// Wrong: does not wait for the end, where its thread_locals go away.
void thread_locals(int wrong) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    mine.value = 2;
    std::this_thread::yield();
    assert(mine.value == 2);
    done = true;
  });
  mine.value = 1;
  while (!done.load()) std::this_thread::yield();
  if (!wrong) other.join();
  assert(mine.value == 1 && alive.load() == 1);
  if (wrong) other.join();
}

// Threads switch while an exception is under way: in destructors, in catch, before it is thrown
// again. Wrong: one of them adds without the lock.
void exceptions(int wrong) {
  std::mutex lock;
  struct Unwound {
    std::mutex& lock;
    ~Unwound() {
      const std::lock_guard held(lock);
      assert(std::uncaught_exceptions() == 1);
    }
  };
  const auto work = [&](int me, bool locked) {
    try {
      try {
        const Unwound unwound{lock};
        throw std::to_string(me);
      } catch (const std::string& text) {
        std::this_thread::yield();
        assert(text == std::to_string(me));
        std::unique_lock held(lock, std::defer_lock);
        if (locked) held.lock();
        const int seen = data.load();
        data.store(seen + 1);
        throw;
      }
    } catch (const std::string& text) {
      assert(text == std::to_string(me) && std::uncaught_exceptions() == 0);
    }
  };
  std::thread other(work, 1, true);
  work(2, !wrong);
  other.join();
  assert(data.load() == 2);
}

// Wrong: has it when it was promised.
void future(int wrong) {
  std::promise<int> promise;
  std::future<int> answer = promise.get_future();
  std::thread other([&] { promise.set_value(42); });
  if (wrong) assert(answer.wait_for(0s) == std::future_status::ready);
  assert(answer.get() == 42);
  other.join();
}
void future_exception(int wrong) {
  std::promise<int> promise;
  std::future<int> answer = promise.get_future();
  std::thread other([&] {
    data = wrong ? 0 : 1;
    promise.set_exception(std::make_exception_ptr(7));
    data = 1;
  });
  try {
    answer.get();
    assert(false);
  } catch (int number) {
    assert(number == 7 && data.load() == 1);
  }
  other.join();
}
void shared_future(int wrong) {
  std::promise<void> promise;
  const std::shared_future<void> go = promise.get_future().share();
  const auto wait = [&, go] {
    while (go.wait_for(1h) != std::future_status::ready) {
    }
    go.get();
    assert(data.load() == 1);
  };
  std::thread one(wait), two(wait);
  if (!wrong) data = 1;
  promise.set_value();
  data = 1;
  one.join();
  two.join();
}
void async(int wrong) {
  std::future<int> answer = std::async(std::launch::async, [] {
    data = 1;
    return 42;
  });
  if (wrong) assert(data.load() == 1);
  assert(answer.get() == 42 && data.load() == 1);
}
void packaged_task(int wrong) {
  std::packaged_task<int(int)> task([](int n) { return n + 1; });
  std::future<int> answer = task.get_future();
  std::thread other(std::move(task), 41);
  if (wrong) assert(answer.wait_for(0s) == std::future_status::ready);
  assert(answer.get() == 42);
  other.join();
}
// Wrong: has it before the thread has ended.
void value_at_thread_exit(int wrong) {
  std::promise<int> promise;
  std::future<int> answer = promise.get_future();
  std::atomic<bool> set{false};
  std::thread other([&] {
    promise.set_value_at_thread_exit(42);
    set = true;
  });
  if (wrong) assert(answer.wait_for(0s) == std::future_status::ready);
  assert(answer.get() == 42);
  assert(set.load());
  other.join();
}

struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};
// Wrong: the awaiter is part of the coroutine, which may have ended in the other thread.
struct OnAnotherThread {
  int wrong;
  std::vector<std::thread>* threads;
  std::atomic<int> used{0};
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    const bool looks_back = wrong != 0;
    threads->emplace_back([handle] { handle.resume(); });
    if (looks_back) ++used;
  }
  void await_resume() {}
};
Task moves(int wrong, std::vector<std::thread>& threads, std::atomic<bool>& done) {
  co_await OnAnotherThread{wrong, &threads};
  data = 1;
  done = true;
  done.notify_one();
}
void coroutine(int wrong) {
  std::vector<std::thread> threads;
  std::atomic<bool> done{false};
  moves(wrong, threads, done);
  done.wait(false);
  assert(data.load() == 1);
  for (std::thread& each : threads) each.join();
}

const Case cases[] = {
    {"thread", "assertion failed", thread},
    {"detached", "assertion failed", detached},
    {"sleep", "assertion failed", sleep},
    {"jthread", "assertion failed", jthread},
    {"stop_callback", "use after free", stop_callback},
    {"thread_locals", "assertion failed", thread_locals},
    {"exceptions", "assertion failed", exceptions},
    {"future", "assertion failed", future},
    {"future_exception", "assertion failed", future_exception},
    {"shared_future", "assertion failed", shared_future},
    {"async", "assertion failed", async},
    {"packaged_task", "assertion failed", packaged_task},
    {"value_at_thread_exit", "assertion failed", value_at_thread_exit},
    {"coroutine", "use after free", coroutine},
};

}  // namespace

RUN_CASES(cases)
