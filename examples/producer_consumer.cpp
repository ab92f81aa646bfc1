// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Producer and consumer the older way, with a Condition: what a Queue does for you.
#include <thrum/threading.h>

#include <cstdio>
#include <deque>
using namespace thrum;

int main() {
  constexpr std::size_t kRoom = 4;
  constexpr int kItems = 100;
  Lock lock;
  Condition not_full(lock);
  Condition not_empty(lock);
  std::deque<int> items;
  long sum = 0;

  Thread consumer({.name = "consumer"}, [&] {
    for (int i = 0; i < kItems; ++i) {
      Guard guard(lock);
      not_empty.wait_for([&] { return !items.empty(); });
      sum += items.front();
      items.pop_front();
      not_full.notify();
    }
  });
  Thread producer({.name = "producer"}, [&] {
    for (int i = 0; i < kItems; ++i) {
      Guard guard(lock);
      not_full.wait_for([&] { return items.size() < kRoom; });
      items.push_back(i);
      not_empty.notify();
    }
  });
  consumer.start();
  producer.start();
  producer.join();
  consumer.join();
  std::printf("sum %ld\n", sum);
  return sum == kItems * (kItems - 1) / 2 ? 0 : 1;
}
