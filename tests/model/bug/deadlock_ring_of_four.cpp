// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 1
// Class: deadlock
//
// Each of four threads holds one lock and waits for its neighbour's.
#include <mutex>
#include <thread>
#include <vector>

int main() {
  constexpr std::size_t kSeats = 4;
  std::mutex forks[kSeats];
  std::vector<std::thread> diners;
  for (std::size_t i = 0; i < kSeats; ++i) {
    diners.emplace_back([&forks, i] {
      const std::lock_guard left(forks[i]);
      const std::lock_guard right(forks[(i + 1) % kSeats]);
    });
  }
  for (std::thread& diner : diners) diner.join();
}
