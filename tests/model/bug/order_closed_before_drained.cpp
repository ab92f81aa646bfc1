// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 2
// Class: order violation
//
// A worker that finds the queue empty and then sees it closed misses what was put in between.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> queued{0};
  std::atomic<bool> closed{false};
  int done = 0;
  std::thread worker([&] {
    for (;;) {
      const int jobs = queued.exchange(0);
      const bool last = closed.load();
      done += jobs;
      if (jobs == 0 && last) return;
      std::this_thread::yield();
    }
  });
  queued.fetch_add(1);
  closed.store(true);
  worker.join();
  if (done != 1) std::abort();
}
