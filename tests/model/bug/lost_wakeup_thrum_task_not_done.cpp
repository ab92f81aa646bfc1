// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: lost wake-up
//
// A worker that is cancelled leaves with a task that it never marks as done, and join() waits for
// it.
#include <thrum/queue.h>

#include <atomic>
#include <thread>

int main() {
  thrum::Queue<int> queue;
  std::atomic<bool> cancelled{false};
  queue.put(1);
  std::thread worker([&] {
    (void)queue.get();
    if (cancelled.load()) return;
    queue.task_done();
  });
  cancelled.store(true);
  queue.join();
  worker.join();
}
