// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: barrier
//
// A party that sees it is cancelled leaves without arriving, and the other waits for it.
#include <atomic>
#include <barrier>
#include <thread>

int main() {
  std::barrier<> barrier(2);
  std::atomic<bool> cancelled{false};
  std::thread worker([&] {
    if (cancelled.load()) return;
    barrier.arrive_and_wait();
  });
  std::thread leader([&] { barrier.arrive_and_wait(); });
  std::thread canceller([&] { cancelled.store(true); });
  worker.join();
  leader.join();
  canceller.join();
}
