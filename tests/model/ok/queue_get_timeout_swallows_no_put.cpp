// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One getter may give up as the item is put; if it does, the other gets it.
#include <thrum/queue.h>

#include <chrono>
#include <thread>

int main() {
  thrum::Queue<int> queue;
  std::thread gives_up([&] {
    if (queue.get(std::chrono::microseconds(50))) queue.put(2);
  });
  std::thread waits([&] { (void)queue.get(); });
  queue.put(1);
  gives_up.join();
  waits.join();
  return static_cast<int>(queue.qsize());
}
