// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Wrong if the threads took turns in the end, after many thousand steps in any order.
#include <atomic>
#include <cassert>
#include <thread>

std::atomic<unsigned> last{0};  // by whom the last operations were, a bit each

int main() {
  const auto work = [](unsigned me) {
    for (int i = 0; i < 10'000; ++i) {
      unsigned seen = last.load(std::memory_order_relaxed);
      last.store(seen << 1 | me, std::memory_order_relaxed);
    }
  };
  std::thread zero([&] { work(0); });
  std::thread one([&] { work(1); });
  zero.join();
  one.join();
  assert((last.load() & 15) != 0b0101 && (last.load() & 15) != 0b1010);
}
