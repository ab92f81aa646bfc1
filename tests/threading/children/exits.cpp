// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The end of a process with threads in every state.
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "threading/children/scene.h"
#include "thrum/threading.h"

namespace scene {
namespace {

using namespace thrum;
using namespace std::chrono_literals;

const struct Statics {
  ~Statics() { say("statics destroyed"); }
} statics;

void wait_for_stop(const std::stop_token& stop) {
  Event never;
  (void)never.wait(stop);
}

// --- Threads that are waited for

const Scene joins("exit.joins", [] {
  static Thread worker([](std::stop_token stop) {
    wait_for_stop(stop);
    say("worker done");
  });
  worker.start();
  return 7;
});

const Scene joins_after_exit("exit.joins_after_exit", []() -> int {
  static auto& worker = *new Thread([](std::stop_token stop) {
    wait_for_stop(stop);
    say("worker done");
  });
  worker.start();
  std::exit(7);
});

const Scene joins_one_not_asked("exit.joins_one_that_ignores_stop", [] {
  static auto& worker = *new Thread([] {
    for (int i = 0; i < 50; ++i) let_others_run();
    say("worker done");
  });
  worker.start();
  return 7;
});

const Scene joins_grandchildren("exit.joins_threads_started_by_threads", [] {
  static auto& worker = *new Thread([](std::stop_token first) {
    wait_for_stop(first);
    static auto& second = *new Thread([](std::stop_token stop) {
      wait_for_stop(stop);  // asked although it did not exist when the end began
      static auto& third = *new Thread([](std::stop_token last) {
        wait_for_stop(last);
        say("third done");
      });
      third.start();
      say("second done");
    });
    second.start();
    say("first done");
  });
  worker.start();
  return 7;
});

const Scene joins_main("exit.joins_main", [] {
  static auto& worker = *new Thread([] {
    main_thread().join();
    say(main_thread().is_alive() ? "main is alive" : "main has ended");
    say("worker done");
  });
  worker.start();
  until_asleep(worker.native_id());
  return 7;
});

const Scene exits_during_end("exit.exits_during_the_end", [] {
  static auto& worker = *new Thread([](std::stop_token stop) {
    wait_for_stop(stop);
    std::exit(9);
  });
  worker.start();
  return 7;
});

const Scene group_at_end("exit.group", [] {
  static Group group;
  for (int i = 0; i < 3; ++i) {
    group.start([](std::stop_token stop) {
      wait_for_stop(stop);
      say("member done");
    });
  }
  return 7;
});

const Scene timer_at_end("exit.timer", [] {
  static Timer timer(1h, [] { say("fired"); });
  timer.start();
  return 7;
});

const Scene timers_at_end("exit.timer_that_fired", [] {
  static Event fired;
  static Timer timer(1ms, [](std::stop_token stop) {
    fired.set();
    wait_for_stop(stop);
    say("function done");
  });
  timer.start();
  fired.wait();
  return 7;
});

const Scene daemon_timers("exit.daemon_timers", [] {
  static Timer late({.daemon = true}, 1h, [] { say("fired"); });
  static Timer in_a_moment({.daemon = true}, 300ms, [] { say("fired"); });
  late.start();
  in_a_moment.start();
  return 7;
});

// Timers fire all the time, also while statics are destroyed.
const Scene timers_never_rest("exit.timers_never_rest", [] {
  static std::function<void()> again = [] {
    Timer next({.daemon = true}, 50us, [] { again(); });
    next.start();
  };
  for (int i = 0; i < 4; ++i) again();
  Timer last(5ms, [] {});
  last.start();
  last.join();
  std::fputs("buffered", stdout);
  return 7;
});

const Scene main_leaves_timers("exit.main_leaves_timers", [] {
  static Timer timer(50ms, [] { say("fired"); });
  timer.start();
  pthread_exit(nullptr);
  return 7;
});

// --- Daemons

Event wakes_daemon;  // by a static's destructor
struct Wakes {
  ~Wakes() {
    wakes_daemon.set();
    for (int i = 0; i < 20; ++i) let_others_run();
  }
};

const Scene daemon_asleep("exit.daemon_asleep_in_our_wait", [] {
  static Queue<int> queue;
  static const Wakes wakes;
  static Thread waits({.daemon = true}, [] {
    wakes_daemon.wait();
    say("daemon returned");
  });
  static Thread gets({.daemon = true}, [] {
    (void)queue.get();
    say("daemon returned");
  });
  for (Thread* thread : {&waits, &gets}) {
    thread->start();
    until_asleep(thread->native_id());
  }
  std::printf("buffered ");
  return 7;
});

const Scene daemon_sleeps("exit.daemon_sleeps_elsewhere", [] {
  static auto& daemon = *new Thread({.daemon = true}, [] {
    for (;;) std::this_thread::sleep_for(1h);
  });
  daemon.start();
  until_asleep(daemon.native_id());
  std::printf("buffered");
  return 7;
});

std::atomic<bool> computing{false};
void compute() {
  computing = true;
  computing.notify_all();
  for (std::atomic<unsigned> n{0};; ++n) {
  }
}

const Scene daemon_computes("exit.daemon_computes", [] {
  static auto& daemon = *new Thread({.daemon = true}, compute);
  daemon.start();
  computing.wait(false);
  std::printf("buffered");
  return 7;
});

const Scene daemon_has_stdout("exit.daemon_holds_stdout", [] {
  static auto& daemon = *new Thread({.daemon = true}, [] {
    flockfile(stdout);
    compute();
  });
  daemon.start();
  computing.wait(false);
  return 7;
});

const Scene daemon_restless("exit.daemon_never_rests", [] {
  static Queue<int> queue;
  static Lock lock;
  static std::array<Thread*, 3> daemons;
  for (Thread*& daemon : daemons) {
    daemon = new Thread({.daemon = true}, [] {
      for (;;) {
        const Guard guard(lock);
        queue.put(1);
        (void)queue.get(1us);
      }
    });
    daemon->start();
  }
  std::printf("buffered");
  return 7;
});

const Scene daemon_starts("exit.daemon_starts_threads", [] {
  static auto& daemon = *new Thread({.daemon = true}, [] {
    for (;;) {
      Thread thread({.daemon = true}, [] {});
      thread.start();
      thread.join();
    }
  });
  daemon.start();
  std::printf("buffered");
  return 7;
});

// --- exit() from a thread

const Scene from_thread("exit.from_a_thread_while_main_joins", [] {
  Thread worker([] {
    until_asleep(main_thread().native_id());
    std::printf("buffered ");
    std::exit(5);
  });
  worker.start();
  worker.join();
  say("main returned");
  return 7;
});

const Scene from_thread_main_runs("exit.from_a_thread_while_main_computes", [] {
  Thread worker([] {
    computing.wait(false);
    std::printf("buffered");
    std::exit(5);
  });
  worker.start();
  compute();
  return 7;
});

const Scene from_thread_locks("exit.from_a_thread_while_others_hold_locks", [] {
  static Lock lock;
  Event never, held;
  Thread holder([&] {
    const Guard guard(lock);
    held.set();
    never.wait();
  });
  holder.start();
  held.wait();
  until_asleep(holder.native_id());
  Thread worker([] {
    until_asleep(main_thread().native_id());
    std::exit(5);
  });
  worker.start();
  lock.acquire();
  return 7;
});

const Scene from_thread_static_thread("exit.from_a_thread_with_static_threads_asleep", [] {
  static Thread waits([](std::stop_token stop) {
    wait_for_stop(stop);
    say("worker returned");
  });
  static Group group;
  static Timer timer(1h, [] { say("fired"); });
  waits.start();
  timer.start();
  const ThreadHandle member = group.start([](std::stop_token stop) {
    wait_for_stop(stop);
    say("member returned");
  });
  for (const ThreadHandle& thread : {ThreadHandle(waits), member}) {
    until_asleep(thread.native_id());
  }
  Thread worker([] {
    until_asleep(main_thread().native_id());
    std::exit(5);
  });
  worker.start();
  worker.join();
  return 7;
});

const Scene from_foreign("exit.from_a_thread_not_ours", [] {
  Thread worker([](std::stop_token stop) { wait_for_stop(stop); });
  worker.start();
  until_asleep(worker.native_id());
  std::thread foreign([] {
    until_asleep(main_thread().native_id());
    std::exit(5);
  });
  worker.join();
  foreign.join();
  return 7;
});

// --- Statics and thread_locals

const Scene static_threads("exit.static_threads", [] {
  static Thread plain([](std::stop_token stop) {
    wait_for_stop(stop);
    say("plain done");
  });
  static Thread daemon({.daemon = true}, [](std::stop_token stop) { wait_for_stop(stop); });
  static const Thread never_started([] {});
  plain.start();
  daemon.start();
  until_asleep(daemon.native_id());
  return 7;
});

struct StartsThread {
  ~StartsThread() {
    Thread thread([] {});
    thread.start();
    say("started at the end");
  }
};

const Scene starts_in_static("exit.a_static_starts_a_thread", [] {
  static const StartsThread starts;
  Thread thread;
  thread.start();
  thread.join();
  return 7;
});

struct Asks {
  ~Asks() {
    (void)current_thread();
    (void)main_thread().state();
    (void)enumerate();
    (void)dump_text();
    say("asked");
  }
};

const Scene asks_in_static("exit.a_static_asks_about_threads", [] {
  static const Asks asks;
  Thread thread;
  thread.start();
  thread.join();
  return 7;
});

struct UsesAll {
  Lock* lock = nullptr;
  ~UsesAll() {
    if (lock == nullptr) return;
    static Event event;
    static Queue<int> queue;
    static Semaphore semaphore(0);
    static Local<int> local(3);
    const Guard guard(*lock);
    event.set();
    event.wait();
    queue.put(1);
    semaphore.release();
    semaphore.acquire();
    say("used " + std::to_string(queue.get() + *local));
  }
};
thread_local UsesAll uses_all;
Lock used;

const Scene thread_locals("exit.thread_locals_use_everything", [] {
  Thread thread([] { uses_all.lock = &used; });
  thread.start();
  thread.join();
  uses_all.lock = &used;  // main's, at the end of the process
  return 7;
});

const Scene pthread_exit_of_main("exit.main_calls_pthread_exit", []() -> int {
  static auto& worker = *new Thread([] {
    main_thread().join();
    say(main_thread().is_alive() ? "main is alive" : "main has ended");
    for (const ThreadHandle& thread : enumerate()) {
      if (thread == main_thread()) say("main is listed");
    }
    (void)dump_text();
    say("worker done");
  });
  worker.start();
  pthread_exit(nullptr);
});

}  // namespace
}  // namespace scene
