// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/queue.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <stack>
#include <string>
#include <utility>
#include <vector>

#include "cases/cases.h"
#include "peers/floors.h"
#include "peers/foreign.h"
#include "peers/monitors.h"
#include "peers/queues.h"
#include "shapes.h"

namespace bench {
namespace {

using Number = std::uint64_t;
template <class T, class Items = std::deque<T>>
using StdQueue = MonitorQueue<StdMonitor, T, Items>;

constexpr auto kPut = [](auto& queue) { queue.put(Number{1}); };
constexpr auto kGet = [](auto& queue) {
  Number item = queue.get();
  keep(item);
};
constexpr auto kPutGet = [](auto& queue) {
  kPut(queue);
  kGet(queue);
};
constexpr auto kPutGetDone = [](auto& queue) {
  kPutGet(queue);
  queue.task_done();
};

// Queues first in first out. A limit is of 32 bits: it widens to whatever each takes. `make` is a
// lambda <class Queue>(limit) -> Run; no limit is given to those that never have one.
template <class T, class Make>
Contenders queues(std::uint32_t limit, Make make) {
  Contenders all;
  const auto add = [&]<class Queue>(const char* name, std::type_identity<Queue>) {
    if constexpr (std::is_constructible_v<Queue, std::size_t>) {
      all.push_back({name, make.template operator()<Queue>(limit), sizeof(Queue)});
    } else {
      all.push_back({name, make.template operator()<Queue>(), sizeof(Queue)});
    }
  };
  add("thrum::Queue", std::type_identity<thrum::Queue<T>>());
  if (limit == 0) add("thrum::SimpleQueue", std::type_identity<thrum::SimpleQueue<T>>());
  add(limit == 0 ? "std mutex + cv + deque" : "std mutex + 2 cv + deque",
      std::type_identity<StdQueue<T>>());
  // A ring of one slot cannot tell full from empty.
  if (limit > 1) add("floor: ring, yields", std::type_identity<YieldingRing<T>>());
#ifdef BENCH_TBB
  add("tbb::concurrent_bounded_queue", std::type_identity<TbbBounded<T>>());
  if (limit == 0) {
    add("tbb::concurrent_queue + std semaphore",
        std::type_identity<TbbWithSemaphore<tbb::concurrent_queue<T>, T>>());
  }
#endif
#ifdef BENCH_MOODYCAMEL
  add(limit == 0 ? "moodycamel" : "moodycamel (no limit)", std::type_identity<Moodycamel<T>>());
#endif
#ifdef BENCH_ABSL
  add("absl::Mutex Await + deque", std::type_identity<MonitorQueue<AbslAwait, T>>());
#endif
#ifdef BENCH_NSYNC
  add("nsync mu + cv + deque", std::type_identity<MonitorQueue<NsyncMonitor, T>>());
#endif
#ifdef BENCH_BOOST
  if (limit == 0) {
    add("boost::sync_queue", std::type_identity<BoostQueue<boost::sync_queue<T>, T>>());
  } else if (limit > 1) {  // its ring keeps a slot free
    add("boost::sync_bounded_queue",
        std::type_identity<BoostQueue<boost::sync_bounded_queue<T>, T>>());
  }
  if constexpr (std::is_same_v<T, Number>) {
    if (limit != 0) add("spin: boost::lockfree::queue", std::type_identity<BoostLockFree<T>>());
  }
#endif
  return all;
}

std::string limit_name(std::uint32_t limit) { return limit == 0 ? "none" : std::to_string(limit); }

template <class T>
void add_flow(Cases& cases, const char* type, Sides sides, std::uint32_t limit,
              bool growth = false) {
  Case flows{.name = fmt::format("queue/{}:{}/{}/capacity={}", sides.putters, sides.getters, type,
                                 limit_name(limit)),
             .operation = "item through",
             .contenders = queues<T>(
                 limit, [&]<class Queue>(auto... most) { return flow<Queue, T>(sides, most...); }),
             .growth = growth};
  flows.contenders.push_back({"thrum::Queue, task_done",
                              flow<thrum::Queue<T>, T, true>(sides, limit),
                              sizeof(thrum::Queue<T>)});
  if (limit > 1) {
    flows.contenders.push_back({"floor: ring, yields, task_done",
                                flow<CountingRing<T>, T, true>(sides, limit),
                                sizeof(CountingRing<T>)});
  }
  const std::string shape =
      fmt::format("queue {} {} {} {}", sides.putters, sides.getters, limit, type);
  add_foreign(flows.contenders, "rust", "Rust crossbeam", shape);
  if (limit != 0) add_foreign(flows.contenders, "go", "Go channel", shape);
  if (limit != 0 && sides.putters == sides.getters) flows.promises = {{"std", 1.0}};
  cases.push_back(std::move(flows));
}

template <class T>
void add_flows(Cases& cases, const char* type) {
  for (const Sides sides : {Sides{1, 1}, {2, 2}, {4, 4}, {1, 4}, {4, 1}}) {
    for (const std::uint32_t limit : {1u, 64u, 1024u, 0u}) add_flow<T>(cases, type, sides, limit);
  }
}

// A queue that holds 64 items before the first operation.
template <class Queue>
struct Prefilled {
  Prefilled() {
    for (Number i = 0; i < 64; ++i) queue.put(i * 0x9e3779b97f4a7c15);  // in no order
  }
  Queue queue;
};

// Queues of another order, with up to so many items for growth. `add_peers(contenders, make)` adds
// what peers there are, each a `make` of its type.
template <class Ours, class Theirs, class AddPeers>
void add_ordered(Cases& cases, const std::string& primitive, const std::string& ours,
                 const std::string& theirs, std::size_t most, AddPeers add_peers) {
  const auto add = [&](const std::string& name, const char* operation, auto make,
                       std::uint64_t items = 0) {
    Case ordered{.name = primitive + '/' + name,
                 .operation = operation,
                 .contenders = {by<Ours>(ours, make), by<Theirs>(theirs, make)},
                 .growth = items != 0,
                 .batch = std::max<std::uint64_t>(1, items)};
    add_peers(ordered.contenders, make);
    cases.push_back(std::move(ordered));
  };
  add("uncontended", "put + get, 64 items inside", []<class Queue>() {
    return alone<Prefilled<Queue>>([](auto& prefilled) { kPutGet(prefilled.queue); });
  });
  for (const std::size_t each : {1u, 2u, 4u}) {
    add(fmt::format("{0}:{0}/number/capacity=64", each), "item through",
        [&]<class Queue>() { return flow<Queue, Number>({each, each}, 64u); });
  }
  for (const std::size_t items : kItems) {
    if (items > most) continue;
    add(
        fmt::format("items={}", items), "item: all put, then all got",
        [&]<class Queue>() { return fill_and_drain<Queue>(items); }, items);
  }
}

void add_alone(Cases& cases) {
  using TheirTasks = MonitorQueue<StdMonitor, Number, std::deque<Number>, Tasks::counted>;
  constexpr auto kAlone = []<class Queue>(auto... limit) {
    return alone<Queue>(kPutGet, limit...);
  };
  for (const std::uint32_t limit : {64u, 0u}) {
    cases.push_back({.name = "queue/uncontended/capacity=" + limit_name(limit),
                     .operation = "put + get",
                     .contenders = queues<Number>(limit, kAlone)});
  }
  const std::uint32_t limit = 64;
  cases.push_back(
      {.name = "queue/task_done",
       .operation = "put + get + task_done, capacity 64",
       .contenders = {{"thrum::Queue", alone<thrum::Queue<Number>>(kPutGetDone, limit)},
                      {"std mutex + 3 cv + deque", alone<TheirTasks>(kPutGetDone, limit)}}});
}

void add_hand_offs(Cases& cases) {
  for (const std::uint32_t limit : {1u, 0u}) {
    for (const HandOff& how : kHandOffs) {
      Case trips{.name = fmt::format("queue/{}/capacity={}", how.name, limit_name(limit)),
                 .operation = "round trip",
                 .contenders = queues<Number>(limit, [&]<class Queue>(auto... most) {
                   return ping_pong<Queue>(how.cpus, kPut, kGet, most...);
                 })};
      add_flag_floors(trips.contenders, how.cpus);
      const std::string shape = fmt::format("ping-pong {}", limit);
      add_foreign(trips.contenders, "rust", "Rust crossbeam", shape, how.cpus);
      if (limit != 0) add_foreign(trips.contenders, "go", "Go channel", shape, how.cpus);
      cases.push_back(std::move(trips));
    }
  }
}

void add_bulk(Cases& cases) {
  constexpr std::size_t kBatch = 32;
  constexpr auto kStep = [](auto& queue) {
    std::array<Number, kBatch> items{};
    queue.put_bulk(std::span<Number>(items));
    auto got = queue.get_bulk(kBatch);
    keep(got);
  };
  const auto add = [&](const char* name, const char* operation, auto make) {
    Case bulk{.name = std::string("queue/bulk/") + name,
              .operation = operation,
              .contenders = {by<thrum::Queue<Number>>("thrum::Queue", make)},
              .batch = kBatch};
#ifdef BENCH_MOODYCAMEL
    bulk.contenders.push_back(by<Moodycamel<Number>>("moodycamel (no limit)", make));
#endif
    cases.push_back(std::move(bulk));
  };
  const std::uint32_t limit = 1024;
  add("uncontended", "item of 32 put, then got",
      [&]<class Queue>() { return alone<Queue>(kStep, limit); });
  add("1:1", "item through, 32 at a time",
      [&]<class Queue>() { return bulk_flow<Queue>(kBatch, limit); });
}

}  // namespace

void add_queue_cases(Cases& cases) {
  add_alone(cases);
  add_flows<Number>(cases, "number");
  add_flows<std::string>(cases, "string");
  add_flows<std::unique_ptr<Number>>(cases, "unique_ptr");
  for (const std::size_t each : {8u, 16u, 32u})
    add_flow<Number>(cases, "number", {each, each}, 64, true);
  add_hand_offs(cases);
  add_bulk(cases);
  for (const std::size_t items : kItems) {
    cases.push_back(
        {.name = fmt::format("queue/items={}", items),
         .operation = "item: all put, then all got",
         .contenders = queues<Number>(
             0, [&]<class Queue>(auto... most) { return fill_and_drain<Queue>(items, most...); }),
         .batch = items});
  }

  add_ordered<thrum::LifoQueue<Number>, StdQueue<Number, std::stack<Number>>>(
      cases, "lifo_queue", "thrum::LifoQueue", "std mutex + 2 cv + stack", 10'000'000,
      []([[maybe_unused]] Contenders& to, [[maybe_unused]] auto make) {
#ifdef BENCH_ABSL
        to.push_back(by<MonitorQueue<AbslAwait, Number, std::stack<Number>>>(
            "absl::Mutex Await + stack", make));
#endif
      });
  using Smallest = std::priority_queue<Number, std::vector<Number>, std::greater<>>;
  add_ordered<thrum::PriorityQueue<Number>, StdQueue<Number, Smallest>>(
      cases, "priority_queue", "thrum::PriorityQueue", "std mutex + 2 cv + priority_queue",
      1'000'000,  // ten times as many take minutes
      []([[maybe_unused]] Contenders& to, [[maybe_unused]] auto make) {
#ifdef BENCH_ABSL
        to.push_back(by<MonitorQueue<AbslAwait, Number, Smallest>>(
            "absl::Mutex Await + priority_queue", make));
#endif
#ifdef BENCH_TBB
        to.push_back(
            by<TbbWithSemaphore<tbb::concurrent_priority_queue<Number, std::greater<>>, Number>>(
                "tbb::concurrent_priority_queue + std semaphore", make));
#endif
#ifdef BENCH_BOOST
        using Boost = boost::sync_priority_queue<Number, std::vector<Number>, std::greater<>>;
        to.push_back(by<BoostQueue<Boost, Number>>("boost::sync_priority_queue (no limit)", make));
#endif
      });
}

}  // namespace bench
