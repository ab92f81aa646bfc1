// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_ring_of_five.cpp: the last takes its locks the
// other way round.
#include <mutex>
#include <thread>
#include <vector>

int main() {
  constexpr std::size_t kSeats = 5;
  std::mutex forks[kSeats];
  std::vector<std::thread> diners;
  for (std::size_t i = 0; i < kSeats; ++i) {
    diners.emplace_back([&forks, i] {
      const bool last = i + 1 == kSeats;
      const std::lock_guard lower(forks[last ? 0 : i]);
      const std::lock_guard upper(forks[last ? i : i + 1]);
    });
  }
  for (std::thread& diner : diners) diner.join();
}
