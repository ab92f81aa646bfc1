// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What was put before the end is got; nobody sleeps for ever.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue(1);
  int put = 0, got = 0;
  std::thread putter([&] {
    for (int i = 0; i < 2; ++i) put += queue.put(i, thrum::forever);
  });
  std::thread getter([&] {
    while (queue.get(thrum::forever)) ++got;
  });
  queue.shutdown();
  putter.join();
  getter.join();
  return put - got;
}
