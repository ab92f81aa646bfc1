// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the child of a fork may do: use what nobody held at the fork, destroy the rest, and exit.
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "threading/children/scene.h"
#include "thrum/threading.h"

namespace scene {
namespace {

using namespace thrum;
using namespace std::chrono_literals;

int failures = 0;
void check(bool ok, const char* what) {
  if (ok) return;
  ++failures;
  say(std::string("failed: ") + what);
}

// Forks, runs `body` in the child, and ends the child by exit(). Returns 0 if all was well.
template <class Body>
int in_fork(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // not inherited
    body();
    std::exit(failures == 0 ? 0 : 1);
  }
  int status = -1;
  while (waitpid(child, &status, 0) < 0) {
  }
  if (WIFSIGNALED(status))
    say("the child was killed by signal " + std::to_string(WTERMSIG(status)));
  if (status != 0) ++failures;
  return failures;
}

// A thread that does something and then sleeps until the end of the scope.
class Other {
 public:
  template <class Do>
  explicit Other(Do first) {
    Event done;
    thread_ = Thread({.name = "other"}, [first, &done](std::stop_token stop) {
      Event never;
      first();
      done.set();
      (void)never.wait(stop);
    });
    thread_.start();
    done.wait();
    until_asleep(thread_.native_id());
  }
  Thread& thread() { return thread_; }

 private:
  Thread thread_;
};

// A thread that blocks in `wait`.
template <class Wait>
Thread asleep(Wait wait) {
  Thread thread({.name = "asleep"}, wait);
  thread.start();
  until_asleep(thread.native_id());
  return thread;
}

const Scene lock_scene("fork.lock", [] {
  auto held = std::make_unique<Lock>();
  Lock free;
  Other other([&] { held->acquire(); });
  in_fork([&] {
    check(held->locked(), "a lock that was held is held");
    check(!held->acquire(nonblocking), "nobody gets it");
    check(!held->acquire(5ms), "also by waiting");
    held.reset();
    free.acquire();
    check(free.holder() == self().native_id, "the child holds it");
    Thread waits([&] { const Guard guard(free); });
    waits.start();
    free.release();
    waits.join();
  });
  held->release();
  return failures;
});

const Scene lock_waiters("fork.lock_with_waiters", [] {
  auto lock = std::make_unique<Lock>();
  lock->acquire();
  Thread waits = asleep([&] { const Guard guard(*lock); });
  in_fork([&] {
    check(lock->holder() != 0, "held");
    lock->release();  // by the thread that forked; the waiter is not here
    check(lock->acquire(1h), "and it can be had again");
    lock->release();
    lock.reset();
  });
  lock->release();
  waits.join();
  return failures;
});

const Scene rlock_scene("fork.rlock", [] {
  auto held = std::make_unique<RLock>();
  RLock mine;
  Other other([&] { held->acquire(); });
  mine.acquire();
  mine.acquire();
  in_fork([&] {
    check(!held->is_owned() && held->locked(), "held by another");
    check(!held->acquire(nonblocking), "nobody gets it");
    held.reset();
    check(mine.recursion_count() == 2, "what the forking thread held it holds in the child");
    mine.release();
    mine.release();
    check(!mine.locked(), "and can release");
    mine.acquire();
  });
  mine.release();
  mine.release();
  return failures;
});

const Scene semaphore_scene("fork.semaphore", [] {
  auto taken = std::make_unique<Semaphore>(0);
  BoundedSemaphore bounded(2);
  Thread waits = asleep([&] { taken->acquire(); });
  in_fork([&] {
    check(!taken->acquire(1ms), "nothing to have");
    taken->release();
    check(taken->acquire(1h), "what the child gives the child gets");
    taken.reset();
    bounded.acquire();
    bounded.release();
    check(bounded.value() == 2, "the other is whole");
  });
  taken->release();
  waits.join();
  return failures;
});

const Scene event_scene("fork.event", [] {
  auto event = std::make_unique<Event>();
  Thread waits = asleep([&] { event->wait(); });
  in_fork([&] {
    check(!event->wait(1ms), "not set");
    Thread setter([&] { event->set(); });
    setter.start();
    event->wait();
    setter.join();
    event.reset();
  });
  event->set();
  waits.join();
  return failures;
});

const Scene condition_scene("fork.condition", [] {
  auto lock = std::make_unique<RLock>();
  auto condition = std::make_unique<Condition>(*lock);
  Thread waits = asleep([&] {
    const Guard guard(*lock);
    condition->wait();
  });
  RLock free_lock;
  Condition free(free_lock);
  in_fork([&] {
    condition.reset();
    lock.reset();
    bool ready = false;
    Thread notifier([&] {
      const Guard guard(free_lock);
      ready = true;
      free.notify_all();
    });
    const Guard guard(free_lock);
    notifier.start();
    free.wait_for([&] { return ready; });
    check(!free.wait(1ms), "nobody notifies");
  });
  {
    const Guard guard(*lock);
    condition->notify_all();
  }
  waits.join();
  return failures;
});

const Scene barrier_scene("fork.barrier", [] {
  auto barrier = std::make_unique<Barrier>(2);
  Barrier free(2);
  Thread waits = asleep([&] { (void)barrier->wait(); });
  in_fork([&] {
    check(barrier->n_waiting() == 1, "one waits, in the parent");
    barrier.reset();
    Thread party([&] { (void)free.wait(); });
    party.start();
    (void)free.wait();
    party.join();
  });
  (void)barrier->wait();
  waits.join();
  return failures;
});

template <class Q>
int run_queue_scene() {
  auto queue = std::make_unique<Q>();
  Thread waits = asleep([&] { (void)queue->get(); });
  in_fork([&] {
    check(!queue->get(1ms), "empty");
    queue->put(1);
    check(queue->get(1h) == 1, "what the child puts the child gets");
    Thread putter([&] { queue->put(2); });
    putter.start();
    check(queue->get() == 2, "also between threads");
    putter.join();
    queue.reset();
  });
  queue->put(1);
  waits.join();
  return failures;
}

const Scene queue_scene("fork.queue", run_queue_scene<Queue<int>>);
const Scene lifo_scene("fork.lifo_queue", run_queue_scene<LifoQueue<int>>);
const Scene priority_scene("fork.priority_queue", run_queue_scene<PriorityQueue<int>>);
const Scene simple_scene("fork.simple_queue", run_queue_scene<SimpleQueue<int>>);

const Scene full_queue("fork.full_queue", [] {
  auto full = std::make_unique<Queue<int>>(1);
  full->put(1);
  Thread waits = asleep([&] { full->put(2); });
  in_fork([&] {
    check(!full->put(3, 1ms), "full");
    check(full->get() == 1, "what was in it is");
    check(full->put(3, 1h), "and there is room");
    full->task_done();
    full->task_done();
    full->join();
    full->shutdown();
    full.reset();
  });
  (void)full->get();
  waits.join();
  return failures;
});

// --- Threads

const Scene threads_scene("fork.threads", [] {
  auto other = std::make_unique<Other>([] {});
  Thread never_started([] {});
  Thread ended([] {}), joined([] {});
  ended.start();
  while (ended.is_alive()) let_others_run();
  joined.start();
  joined.join();
  auto daemon = std::make_unique<Thread>(ThreadOptions{.daemon = true}, [] {
    Event never;
    never.wait();
  });
  daemon->start();
  until_asleep(daemon->native_id());
  const ThreadHandle handle = other->thread();
  const std::uint64_t my_ident = self().ident;
  const std::uint32_t parents_id = self().native_id;
  in_fork([&] {
    check(!handle.is_alive(), "other threads are over");
    check(handle.state().life == Life::terminated, "terminated");
    check(handle.state().end == End::forked, "lives in the parent");
    check(handle.state().text() == "terminated, lives in the parent of this fork",
          "so says text()");
    check(!handle.text().empty() && handle.name() == "other", "its name is known");
    check(handle.native_id() != 0 && handle.ident() != 0, "its ids are known");
    check(!handle.stack(), "it has no stack");
    (void)handle.switches();
    handle.join();
    check(handle.join(nonblocking), "join returns");
    check(!handle.request_stop(), "there is nobody to ask");
    check(ended.state().end == End::returned, "what had ended has ended");
    ended.join();
    joined.join();
    other.reset();
    daemon.reset();
    check(main_thread() == current_thread(), "the forking thread is main");
    check(current_thread().ident() == my_ident, "keeps its ident");
    check(current_thread().native_id() == static_cast<std::uint32_t>(getpid()), "new native id");
    check(current_thread().native_id() != parents_id, "not its parent's");
    check(current_thread().state().life == Life::running, "it runs");
    check(current_thread().stack().has_value(), "it has a stack");
    check(active_count() == 1, "alone");
    never_started.start();
    never_started.join();
    check(never_started.state().end == End::returned, "threads can be started");
    static Thread left([](std::stop_token stop) {
      Event never;
      (void)never.wait(stop);
    });
    left.start();
    check(active_count() == 2, "two");
    check(dump_text().find("other") == std::string::npos, "the others are not in the dump");
  });
  ended.join();
  return failures;
});

const Scene destroys_handles("fork.forgets_ended_threads", [] {
  // Ended and not joined: the system's half is gone in the child, ours is destroyed there.
  std::vector<Thread> threads;
  for (int i = 0; i < 20; ++i) threads.emplace_back([] {});
  for (Thread& thread : threads) thread.start();
  for (const Thread& thread : threads) {
    while (thread.is_alive()) let_others_run();
  }
  in_fork([&] {
    std::vector<Thread> more;
    for (int i = 0; i < 20; ++i) more.emplace_back([] {});
    for (Thread& thread : more) thread.start();
    threads.clear();
    for (Thread& thread : more) thread.join();
  });
  return failures;
});

const Scene from_thread("fork.from_a_thread", [] {
  const ThreadHandle old_main = main_thread();
  Thread forks({.name = "forks"}, [&] {
    in_fork([&] {
      check(main_thread() == current_thread(), "the forking thread is main");
      check(main_thread().name() == "forks", "with its name");
      check(!old_main.is_alive() && old_main.state().end == End::forked, "main is in the parent");
      check(active_count() == 1, "alone");
      static Thread left([](std::stop_token stop) {
        Event never;
        (void)never.wait(stop);
      });
      left.start();  // stopped and joined at the end, as by any main thread
    });
  });
  forks.start();
  forks.join();
  check(main_thread() == old_main, "the parent's main is as it was");
  return failures;
});

const Scene returns_in_child("fork.thread_returns_in_child", [] {
  pid_t child = 0;
  Thread forks([&] {
    child = fork();  // and both return
  });
  forks.start();
  forks.join();
  int status = -1;
  while (waitpid(child, &status, 0) < 0) {
  }
  return status == 0 ? 0 : 1;
});

const Scene from_foreign("fork.from_a_thread_not_ours", [] {
  Other other([] {});
  std::thread([&] {
    in_fork([&] {
      check(main_thread() == current_thread(), "the forking thread is main");
      check(active_count() == 1, "alone");
      check(!other.thread().is_alive(), "other threads are over");
      Thread thread([] {});
      thread.start();
      thread.join();
    });
  }).join();
  return failures;
});

const Scene twice_scene("fork.twice", [] {
  Other other([] {});
  in_fork([&] {
    Other inner([] {});
    in_fork([&] {
      check(!other.thread().is_alive() && !inner.thread().is_alive(), "over");
      check(active_count() == 1, "alone");
      Thread thread([] {});
      thread.start();
      thread.join();
    });
    check(inner.thread().is_alive(), "alive in its own process");
  });
  return failures;
});

const Scene group_scene("fork.group", [] {
  auto group = std::make_unique<Group>();
  const ThreadHandle member = group->start([](std::stop_token stop) {
    Event never;
    (void)never.wait(stop);
  });
  until_asleep(member.native_id());
  in_fork([&] {
    check(group->active_count() == 0, "nobody is here");
    group->join();
    int ran = 0;
    group->start([&] { ++ran; });
    group->join();
    check(ran == 1, "it can be used");
    group.reset();
  });
  return failures;
});

const Scene timer_scene("fork.timer", [] {
  std::atomic<bool> fired{false};
  auto timer = std::make_unique<Timer>(1h, [&] { fired = true; });
  timer->start();
  Timer soon(20ms, [&] { fired = true; });
  soon.start();
  in_fork([&] {
    check(!timer->is_alive() && timer->state().end == End::forked, "it is in the parent");
    check(active_count() == 1, "alone");
    check(timer->join(forever) && soon.join(forever), "nothing to wait for");
    (void)timer->cancel();
    timer.reset();
    Timer other(30ms, [&] { fired = true; });
    other.start();
    check(active_count() == 2, "and one pending");
    other.join();
    check(fired, "a new one works");
  });
  check(timer->is_alive(), "alive in its own process");
  soon.join();
  check(fired, "and fires there");
  check(timer->cancel(), "and can be cancelled");
  return failures;
});

// The child of a timer, of who looks after timers, and while they come and go.
const Scene timers_scene("fork.timers", [] {
  const auto works = [] {
    Timer timer(1ms, [] {});
    timer.start();
    timer.join();
    check(timer.finished(), "timers work in the child");
    Timer unused(1h, [] {});
    unused.start();
    check(unused.cancel(), "and are cancelled");
  };
  Timer forks(1ms, [&] { in_fork(works); });
  forks.start();
  forks.join();
  {
    Thread busy([](std::stop_token stop) {
      while (!stop.stop_requested()) {
        Timer late(1h, [] {}), soon(10us, [] {});
        late.start();
        soon.start();
      }
    });
    busy.start();
    for (int i = 0; i < 30; ++i) in_fork(works);
  }
  return failures;
});

struct Value {
  explicit Value(int what) : n(what) { ++alive(); }
  ~Value() { --alive(); }
  static std::atomic<int>& alive() {
    static std::atomic<int> count{0};
    return count;
  }
  int n;
};

const Scene local_scene("fork.local", [] {
  auto local = std::make_unique<Local<Value>>(1);
  (*local)->n = 2;
  Other other([&] { (*local)->n = 3; });
  in_fork([&] {
    check((*local)->n == 2, "the forking thread keeps its value");
    Thread thread([&] { check((*local)->n == 1, "a new thread gets a new one"); });
    thread.start();
    thread.join();
    local->reset();
    check((*local)->n == 1, "made again");
    local.reset();
    check(Value::alive() == 0, "all are destroyed with the Local");
  });
  return failures;
});

const Scene dump_scene("fork.dump", [] {
  threading::dump_on_signal(SIGQUIT);
  Other other([] {});
  in_fork([&] {
    check(dump_text().find(", 1 thread\n") != std::string::npos, "one thread is listed");
    threading::dump_on_signal(SIGQUIT);  // the thread that prints is in the parent
    kill(getpid(), SIGQUIT);
    for (const ThreadHandle& thread : enumerate()) {
      if (thread.name() == "thrum-dump") return until_asleep(thread.native_id());
    }
    check(false, "there is one that prints");
  });
  return failures;
});

const Scene exit_in_child("fork.while_the_parent_computes", [] {
  std::atomic<bool> stop{false};
  Thread daemon({.daemon = true}, [&] {
    while (!stop) {
    }
  });
  daemon.start();
  in_fork([] {});  // its statics are destroyed: there is nobody who could mind
  stop = true;
  daemon.join();
  return failures;
});

// --- At any moment

const Scene storm_scene("fork.storm", [] {
  std::atomic<bool> stop{false};
  Lock lock;
  Semaphore semaphore(1);
  Queue<int> queue(4);
  Local<Value> local(1);
  std::vector<Thread> busy;
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back([&] {  // starts and ends threads
      while (!stop) {
        Thread thread([&] { (void)*local; });
        thread.start();
        std::thread([&] { (void)current_thread(); }).join();
        thread.join();
      }
    });
  }
  busy.emplace_back([&] {  // asks about them
    while (!stop) {
      for (const ThreadHandle& thread : enumerate()) (void)thread.text();
    }
  });
  busy.emplace_back([&] {  // blocks
    while (!stop) {
      const Guard guard(lock);
      (void)semaphore.acquire(1us);
      (void)queue.get(1us);
      (void)queue.put(1, nonblocking);
    }
  });
  for (Thread& thread : busy) thread.start();
  for (int i = 0; i < 60 && failures == 0; ++i) {
    in_fork([&] {
      check(active_count() == 1, "alone");
      for (const Thread& thread : busy) {
        check(thread.join(nonblocking), "join of those in the parent returns");
        (void)thread.native_id();  // 0 if it did not run yet
      }
      Lock fresh;
      Thread thread([&] { const Guard guard(fresh); });
      thread.start();
      thread.join();
      check(active_count() == 1, "alone again");
      Local<Value> own(2);
      check(own->n == 2, "locals can be made");
      busy.clear();
    });
  }
  stop = true;
  for (Thread& thread : busy) thread.join();
  return failures;
});

}  // namespace
}  // namespace scene
