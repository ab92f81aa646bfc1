// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A put that follows the last task_done keeps a joiner that has not looked yet waiting.
#include <thrum/queue.h>

#include <atomic>
#include <thread>

int main() {
  thrum::Queue<int> queue;
  std::atomic<int> done{0};
  queue.put(1);
  std::thread worker([&] {
    done = 1;
    queue.task_done();
    queue.put(2);
    done = 2;
    queue.task_done();
  });
  queue.join();
  const bool some = done > 0;
  worker.join();
  queue.join();
  return some && done == 2 ? 0 : 1;
}
