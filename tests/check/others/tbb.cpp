// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// oneTBB as Debian ships it. Its scheduler, which is not instrumented, runs on threads of its own.
// Needs: libtbb-dev
// Links: tbb
#include <tbb/concurrent_hash_map.h>
#include <tbb/concurrent_queue.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/spin_mutex.h>
#include <tbb/task_group.h>

#include <atomic>
#include <thread>

#include "coverage.h"

namespace {

std::atomic<int> count{0};

void add() {
  const int seen = count.load();
  count.store(seen + 1);
}

void parallel_for(int wrong) {
  const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  tbb::parallel_for(0, 4, [&](int) { wrong ? add() : void(++count); }, tbb::simple_partitioner());
  assert(count.load() == 4);
}
void task_group(int wrong) {
  const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  tbb::task_group group;
  for (int i = 0; i < 2; ++i) group.run([&] { wrong ? add() : void(++count); });
  group.wait();
  assert(count.load() == 2);
}
// Wrong: who finds it full drops what it has.
void bounded_queue(int wrong) {
  tbb::concurrent_bounded_queue<int> queue;
  queue.set_capacity(1);
  std::thread producer([&] {
    for (int i = 1; i <= 3; ++i) {
      if (wrong && i == 2) {
        queue.try_push(i);
      } else {
        queue.push(i);
      }
    }
  });
  for (int i = 1; i <= 3; ++i) {
    int item = 0;
    queue.pop(item);
    assert(item == i);
    if (wrong && i == 2) break;
  }
  producer.join();
}
// Wrong: looks, and takes what another may have taken.
void queue(int wrong) {
  tbb::concurrent_queue<int> queue;
  queue.push(1);
  const auto take = [&] {
    int item = 0;
    if (wrong) {
      if (!queue.empty()) assert(queue.try_pop(item));
    } else if (queue.try_pop(item)) {
      add();
    }
  };
  std::thread other(take);
  take();
  other.join();
  assert(wrong || count.load() == 1);
}
void hash_map(int wrong) {
  using Map = tbb::concurrent_hash_map<int, int>;
  Map map;
  const auto work = [&] {
    if (wrong) {
      int seen = 0;
      {
        Map::const_accessor found;
        if (map.find(found, 1)) seen = found->second;
      }
      Map::accessor written;
      map.insert(written, 1);
      written->second = seen + 1;
    } else {
      Map::accessor both;
      map.insert(both, 1);
      ++both->second;
    }
  };
  std::thread other(work);
  work();
  other.join();
  Map::const_accessor found;
  assert(map.find(found, 1) && found->second == 2);
}
void spin_mutex(int wrong) {
  tbb::spin_mutex lock;
  const auto work = [&](bool locks) {
    tbb::spin_mutex::scoped_lock held;
    if (locks) held.acquire(lock);
    add();
  };
  std::thread other(work, true);
  work(!wrong);
  other.join();
  assert(count.load() == 2);
}

const Case cases[] = {
    {"parallel_for", "assertion failed", parallel_for},
    {"task_group", "assertion failed", task_group},
    {"bounded_queue", "assertion failed", bounded_queue},
    {"queue", "assertion failed", queue},
    {"hash_map", "assertion failed", hash_map},
    {"spin_mutex", "assertion failed", spin_mutex},
};

}  // namespace

RUN_CASES(cases)
