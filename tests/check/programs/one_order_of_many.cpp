// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One of the 924 orders of the operations on `turn` is wrong. Between any two of them a thread
// makes many others, which no other thread notices.
#include <array>
#include <atomic>
#include <cassert>
#include <thread>

std::atomic<unsigned> turn{0};
std::array<int, 12> order;

int main() {
  const auto take_turns = [](int me) {
    std::atomic<int> own{0};
    for (int i = 0; i < 6; ++i) {
      for (int k = 0; k < 12; ++k) own.store(k);
      order[turn.fetch_add(1)] = me;
    }
  };
  std::thread first([&] { take_turns(1); });
  std::thread second([&] { take_turns(2); });
  first.join();
  second.join();
  assert((order != std::array{2, 2, 1, 1, 1, 2, 1, 2, 2, 2, 1, 1}));
}
