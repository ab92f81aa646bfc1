// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_slow_thread_wins.cpp: the result is replaced only if
// it is newer, in one step.
#include <atomic>
#include <thread>

int main() {
  std::atomic<int> newest{0};
  const auto offer = [&](int generation) {
    int seen = newest.load();
    while (seen < generation && !newest.compare_exchange_weak(seen, generation)) {
    }
  };
  std::thread older(offer, 1);
  std::thread newer(offer, 2);
  older.join();
  newer.join();
  return newest.load() == 2 ? 0 : 1;
}
