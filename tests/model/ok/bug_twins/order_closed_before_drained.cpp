// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_closed_before_drained.cpp: it looks whether the
// queue is closed first.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> queued{0};
  std::atomic<bool> closed{false};
  int done = 0;
  std::thread worker([&] {
    for (;;) {
      const bool last = closed.load();
      const int jobs = queued.exchange(0);
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
