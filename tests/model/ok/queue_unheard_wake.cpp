// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A wake for a getter that is just giving up does not silence the wake for the next getter.
#include <thrum/queue.h>

#include <chrono>
#include <thread>

int main() {
  thrum::Queue<int> queue;
  std::thread gives_up([&] { (void)queue.get(std::chrono::microseconds(50)); });
  queue.put(1);
  gives_up.join();
  (void)queue.get(thrum::nonblocking);
  std::thread waits([&] { (void)queue.get(); });
  queue.put(2);
  waits.join();
  return static_cast<int>(queue.qsize());
}
