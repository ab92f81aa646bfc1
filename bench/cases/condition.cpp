// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/condition.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "cases/cases.h"
#include "peers.h"
#include "shapes.h"

namespace bench {
namespace {

// StdQueue in our words.
class ConditionQueue {
 public:
  explicit ConditionQueue(std::size_t limit) : limit_(limit) {}

  void put(std::uint64_t item) THRUM_TSA(no_thread_safety_analysis) {
    const thrum::Guard guard(lock_);
    not_full_.wait_for([&] { return items_.size() < limit_ || closed_; });
    if (closed_) throw std::runtime_error("closed");
    items_.push_back(item);
    not_empty_.notify();
  }
  std::uint64_t get() THRUM_TSA(no_thread_safety_analysis) {
    const thrum::Guard guard(lock_);
    not_empty_.wait_for([&] { return !items_.empty() || closed_; });
    if (items_.empty()) throw std::runtime_error("closed");
    const std::uint64_t item = items_.front();
    items_.pop_front();
    not_full_.notify();
    return item;
  }

 private:
  thrum::Lock lock_;
  thrum::Condition not_empty_{lock_};
  thrum::Condition not_full_{lock_};
  std::deque<std::uint64_t> items_;
  const std::size_t limit_;
  bool closed_ = false;
};

}  // namespace

void add_condition_cases(Cases& cases) {
  constexpr std::size_t kLimit = 16;
  for (const std::size_t each : {1u, 2u, 4u}) {
    cases.push_back(
        {.name = fmt::format("condition/{0}:{0}/capacity={1}", each, kLimit),
         .operation = "item through a hand-made queue",
         .contenders = {
             {"thrum::Condition", flow<ConditionQueue, std::uint64_t>(each, each, kLimit)},
             {"std::condition_variable",
              flow<StdQueue<std::uint64_t>, std::uint64_t>(each, each, kLimit)}}});
  }
}

}  // namespace bench
