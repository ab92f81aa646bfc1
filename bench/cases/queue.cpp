// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/queue.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <stack>
#include <string>
#include <utility>
#include <vector>

#include "cases/cases.h"
#include "peers.h"
#include "shapes.h"

namespace bench {
namespace {

using Number = std::uint64_t;

struct Sides {
  std::size_t putters;
  std::size_t getters;
};

constexpr auto kPutGet = [](auto& queue) {
  queue.put(Number{1});
  Number item = queue.get();
  keep(item);
};
constexpr auto kPutGetDone = [](auto& queue) {
  kPutGet(queue);
  queue.task_done();
};

template <class T>
void add_flows(Cases& cases, const char* type) {
  for (const auto [putters, getters] : {Sides{1, 1}, {2, 2}, {4, 4}, {1, 4}, {4, 1}}) {
    for (const int limit : {1, 64, 1024, 0}) {
      Case flows{.name = fmt::format("queue/{}:{}/{}/capacity={}", putters, getters, type,
                                     limit == 0 ? "none" : std::to_string(limit)),
                 .operation = "item through",
                 .contenders = {
                     {"thrum::Queue", flow<thrum::Queue<T>, T>(putters, getters, limit)},
                     {limit == 0 ? "std mutex + cv + deque" : "std mutex + 2 cv + deque",
                      flow<StdQueue<T>, T>(putters, getters, static_cast<std::size_t>(limit))}}};
      if (limit != 0 && putters == getters) flows.promises = {{"std", 1.0}};
      cases.push_back(std::move(flows));
    }
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

// Ours and what the standard library has for the same order of items.
template <class Ours, class Theirs>
void add_ordered(Cases& cases, const std::string& primitive, const std::string& ours,
                 const std::string& theirs) {
  constexpr auto kStep = [](auto& prefilled) { kPutGet(prefilled.queue); };
  cases.push_back({.name = primitive + "/uncontended",
                   .operation = "put + get, 64 items inside",
                   .contenders = {{ours, alone<Prefilled<Ours>>(kStep)},
                                  {theirs, alone<Prefilled<Theirs>>(kStep)}}});
  for (const std::size_t each : {1u, 2u}) {
    cases.push_back({.name = fmt::format("{0}/{1}:{1}/number/capacity=64", primitive, each),
                     .operation = "item through",
                     .contenders = {{ours, flow<Ours, Number>(each, each, 64)},
                                    {theirs, flow<Theirs, Number>(each, each, std::size_t{64})}}});
  }
}

}  // namespace

void add_queue_cases(Cases& cases) {
  using Ours = thrum::Queue<Number>;
  using Theirs = StdQueue<Number>;
  using TheirTasks = StdQueue<Number, std::deque<Number>, Tasks::counted>;
  cases.push_back({.name = "queue/uncontended",
                   .operation = "put + get, capacity 64",
                   .contenders = {{"thrum::Queue", alone<Ours>(kPutGet, 64)},
                                  {"std mutex + 2 cv + deque", alone<Theirs>(kPutGet, 64u)}}});
  cases.push_back(
      {.name = "queue/task_done",
       .operation = "put + get + task_done, capacity 64",
       .contenders = {{"thrum::Queue", alone<Ours>(kPutGetDone, 64)},
                      {"std mutex + 3 cv + deque", alone<TheirTasks>(kPutGetDone, 64u)}}});
  add_flows<Number>(cases, "number");
  add_flows<std::string>(cases, "string");

  for (const Cpus cpus : {Cpus::free, Cpus::one}) {
    constexpr auto kPut = [](auto& queue) { queue.put(Number{1}); };
    constexpr auto kGet = [](auto& queue) { (void)queue.get(); };
    cases.push_back(
        {.name = cpus == Cpus::free ? "queue/ping-pong" : "queue/ping-pong/one-cpu",
         .operation = "round trip, capacity 1",
         .contenders = {{"thrum::Queue", ping_pong<Ours>(cpus, kPut, kGet, 1)},
                        {"std mutex + 2 cv + deque", ping_pong<Theirs>(cpus, kPut, kGet, 1u)}}});
  }

  using Simple = thrum::SimpleQueue<Number>;
  const char* const theirs = "std mutex + cv + deque";
  cases.push_back({.name = "simple_queue/uncontended",
                   .operation = "put + get",
                   .contenders = {{"thrum::SimpleQueue", alone<Simple>(kPutGet)},
                                  {theirs, alone<Theirs>(kPutGet)}}});
  for (const std::size_t each : {1u, 2u}) {
    cases.push_back({.name = fmt::format("simple_queue/{0}:{0}/number", each),
                     .operation = "item through",
                     .contenders = {{"thrum::SimpleQueue", flow<Simple, Number>(each, each)},
                                    {theirs, flow<Theirs, Number>(each, each)}}});
  }

  add_ordered<thrum::LifoQueue<Number>, StdQueue<Number, std::stack<Number>>>(
      cases, "lifo_queue", "thrum::LifoQueue", "std mutex + 2 cv + stack");
  using Smallest = std::priority_queue<Number, std::vector<Number>, std::greater<>>;
  add_ordered<thrum::PriorityQueue<Number>, StdQueue<Number, Smallest>>(
      cases, "priority_queue", "thrum::PriorityQueue", "std mutex + 2 cv + priority_queue");
}

}  // namespace bench
