// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The store behind a lock: two sleepers, two items, both are served.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::PriorityQueue<int> queue(2);
  std::thread a([&] { (void)queue.get(); });
  std::thread b([&] { (void)queue.get(); });
  queue.put(2);
  queue.put(1);
  a.join();
  b.join();
  return static_cast<int>(queue.qsize());
}
