// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two sleepers, two items, at most one wake under way: both are served.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue;
  std::thread a([&] { (void)queue.get(); });
  std::thread b([&] { (void)queue.get(); });
  queue.put(1);
  queue.put(2);
  a.join();
  b.join();
  return static_cast<int>(queue.qsize());
}
