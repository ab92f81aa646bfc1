// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A put that adds a ring races with the end: it is in, and can be got, or it is refused.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue(1);
  queue.put(0);
  queue.set_maxsize(0);
  int put = 1, got = 0;
  std::thread putter([&] { put += queue.put(1, thrum::nonblocking); });
  std::thread stopper([&] { queue.shutdown(); });
  while (queue.get(thrum::forever)) ++got;
  putter.join();
  stopper.join();
  return put - got;
}
