// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/barrier_party_leaves_early.cpp: it leaves the barrier with
// arrive_and_drop().
#include <atomic>
#include <barrier>
#include <thread>

int main() {
  std::barrier<> barrier(2);
  std::atomic<bool> cancelled{false};
  std::thread worker([&] {
    if (cancelled.load()) {
      barrier.arrive_and_drop();
      return;
    }
    barrier.arrive_and_wait();
  });
  std::thread leader([&] { barrier.arrive_and_wait(); });
  std::thread canceller([&] { cancelled.store(true); });
  worker.join();
  leader.join();
  canceller.join();
}
