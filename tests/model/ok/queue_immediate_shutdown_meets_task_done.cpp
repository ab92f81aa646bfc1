// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What is got is finished by who got it, what is dropped by shutdown: join() returns.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue;
  queue.put(1);
  queue.put(2);
  std::thread worker([&] {
    for (auto task : queue.tasks()) ++*task;
  });
  std::thread stopper([&] { queue.shutdown(true); });
  queue.join();
  worker.join();
  stopper.join();
  return static_cast<int>(queue.unfinished_tasks());
}
