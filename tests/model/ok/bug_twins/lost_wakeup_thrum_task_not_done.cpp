// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_thrum_task_not_done.cpp: the task is marked as
// done on every path.
#include <thrum/queue.h>

#include <atomic>
#include <thread>

int main() {
  thrum::Queue<int> queue;
  std::atomic<bool> cancelled{false};
  queue.put(1);
  std::thread worker([&] {
    (void)queue.get();
    if (cancelled.load()) {
      queue.task_done();
      return;
    }
    queue.task_done();
  });
  cancelled.store(true);
  queue.join();
  worker.join();
}
