// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The queues that the typed suites run over: each store, with and without items that may throw.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support/items.h"
#include "thrum/queue.h"

namespace thrum::test {

template <class Q>
struct QueueName;
template <>
struct QueueName<Queue<int>> {
  static constexpr const char* value = "Ring";
};
template <>
struct QueueName<Queue<Careful>> {
  static constexpr const char* value = "LockedFifo";
};
template <>
struct QueueName<LifoQueue<int>> {
  static constexpr const char* value = "Lifo";
};
template <>
struct QueueName<LifoQueue<Careful>> {
  static constexpr const char* value = "CarefulLifo";
};
template <>
struct QueueName<PriorityQueue<int>> {
  static constexpr const char* value = "Priority";
};
template <>
struct QueueName<PriorityQueue<Picky>> {
  static constexpr const char* value = "PickyPriority";
};
template <>
struct QueueName<PriorityQueue<Careful>> {
  static constexpr const char* value = "CarefulPriority";
};
struct QueueNames {
  template <class Q>
  static std::string GetName(int) {
    return QueueName<Q>::value;
  }
};

using EveryQueue = testing::Types<Queue<int>, Queue<Careful>, LifoQueue<int>, LifoQueue<Careful>,
                                  PriorityQueue<int>, PriorityQueue<Careful>>;
using ThrowingQueues = testing::Types<Queue<Careful>, LifoQueue<Careful>, PriorityQueue<Picky>,
                                      PriorityQueue<Careful>>;

template <class Q>
using ItemOf = decltype(std::declval<Q&>().get());

}  // namespace thrum::test
