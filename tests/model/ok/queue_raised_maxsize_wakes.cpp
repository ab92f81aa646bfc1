// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A raised maxsize wakes a putter that sleeps, or is about to.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue(1);
  queue.put(1);
  std::thread putter([&] { queue.put(2); });
  queue.set_maxsize(2);
  putter.join();
  return queue.qsize() == 2 ? 0 : 1;
}
