// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Lock-free structures of xenium with three ways to give memory back.
// Needs: libxenium-dev
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <xenium/chase_work_stealing_deque.hpp>
#include <xenium/harris_michael_list_based_set.hpp>
#include <xenium/left_right.hpp>
#include <xenium/michael_scott_queue.hpp>
#include <xenium/ramalhete_queue.hpp>
#include <xenium/reclamation/generic_epoch_based.hpp>
#include <xenium/reclamation/hazard_pointer.hpp>
#include <xenium/reclamation/lock_free_ref_count.hpp>
#include <xenium/seqlock.hpp>

#include "coverage.h"

namespace {

using xenium::policy::reclaimer;
using Hazards = xenium::reclamation::hazard_pointer<>::with<
    xenium::policy::allocation_strategy<xenium::reclamation::hp_allocation::static_strategy<3>>>;
using Epochs = xenium::reclamation::epoch_based<>;
using Counts = xenium::reclamation::lock_free_ref_count<>;

// Wrong: counts on an order between two producers.
template <class Queue>
void queue(int wrong) {
  Queue queue;
  std::thread first([&] {
    queue.push(1);
    queue.push(2);
  });
  std::thread second([&] { queue.push(10); });
  int sum = 0;
  int last = 0;
  const auto take = [&] {
    int item = 0;
    if (!queue.try_pop(item)) return false;
    sum += item;
    if (item < 10) {
      assert(item > last);
      last = item;
    } else if (wrong) {
      assert(last == 2);
    }
    return true;
  };
  take();
  first.join();
  second.join();
  while (take()) {
  }
  assert(sum == 13);
}
// Wrong: removes what another may have removed.
template <class Reclaimer>
void set(int wrong) {
  xenium::harris_michael_list_based_set<int, reclaimer<Reclaimer>> set;
  set.emplace(1);
  set.emplace(3);
  const auto change = [&](int mine) {
    set.emplace(mine);
    const bool erased = set.erase(3);
    if (wrong) assert(erased);
    assert(set.contains(mine) && set.contains(1));
  };
  std::thread other(change, 2);
  change(4);
  other.join();
  assert(!set.contains(3) && set.contains(2) && set.contains(4));
}
// Wrong: two owners.
void deque(int wrong) {
  xenium::chase_work_stealing_deque<int> deque;
  int items[3] = {1, 2, 3};
  std::atomic<int> sum{0};
  std::thread owner([&] {
    for (int& item : items) deque.try_push(&item);
    int* taken = nullptr;
    while (deque.try_pop(taken)) sum += *taken;
  });
  int* taken = nullptr;
  for (int i = 0; i < 2; ++i) {
    if (wrong ? deque.try_pop(taken) : deque.try_steal(taken)) sum += *taken;
  }
  owner.join();
  while (deque.try_steal(taken)) sum += *taken;
  assert(sum.load() == 6);
}
// Wrong: the two halves are read one by one.
void left_right(int wrong) {
  struct Pair {
    int first = 0, second = 0;
  };
  xenium::left_right<Pair> shared{Pair{}};
  std::thread writer([&] {
    for (int i = 1; i < 3; ++i) shared.update([&](Pair& pair) { pair.first = pair.second = i; });
  });
  if (wrong) {
    const int first = shared.read([](const Pair& pair) { return pair.first; });
    assert(first == shared.read([](const Pair& pair) { return pair.second; }));
  } else {
    shared.read([](const Pair& pair) { assert(pair.first == pair.second); });
  }
  writer.join();
}
void seqlock(int wrong) {
  struct Three {
    long a, b, c;
  };
  xenium::seqlock<Three> shared(Three{0, 0, 0});
  std::thread writer([&] {
    for (long i = 1; i < 3; ++i) shared.store(Three{i, i, i});
  });
  const Three seen = shared.load();
  assert(seen.a == seen.b && seen.b == seen.c);
  if (wrong) assert(shared.load().a == seen.a);
  writer.join();
}

const Case cases[] = {
    {"michael_scott_hazards", "assertion failed",
     queue<xenium::michael_scott_queue<int, reclaimer<Hazards>>>},
    {"michael_scott_epochs", "assertion failed",
     queue<xenium::michael_scott_queue<int, reclaimer<Epochs>>>},
    {"michael_scott_counts", "assertion failed",
     queue<xenium::michael_scott_queue<int, reclaimer<Counts>>>},
    {"set_hazards", "assertion failed", set<Hazards>},
    {"set_epochs", "assertion failed", set<Epochs>},
    {"deque", "assertion failed", deque},
    {"left_right", "assertion failed", left_right},
    {"seqlock", "assertion failed", seqlock},
};

}  // namespace

RUN_CASES(cases)
