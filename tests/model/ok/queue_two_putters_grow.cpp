// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two puts add a ring at once: one is linked, nothing is lost.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue(1);
  queue.put(1);
  queue.set_maxsize(0);
  std::thread a([&] { queue.put(2); });
  std::thread b([&] { queue.put(4); });
  a.join();
  b.join();
  return queue.get() + queue.get() + queue.get() - 7;
}
