// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One joiner may give up as the work ends; the other returns.
#include <thrum/queue.h>

#include <chrono>
#include <thread>

int main() {
  thrum::Queue<int> queue;
  queue.put(1);
  std::thread gives_up([&] { (void)queue.join(std::chrono::microseconds(50)); });
  std::thread waits([&] { queue.join(); });
  queue.task_done();
  gives_up.join();
  waits.join();
}
