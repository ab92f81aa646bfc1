// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lockfree_ring_published_too_early.cpp: the slot is written
// first.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> slots[2] = {0, 0};
  std::atomic<unsigned> written{0};
  std::thread producer([&] {
    slots[0].store(7);
    written.fetch_add(1);
  });
  std::thread consumer([&] {
    if (written.load() == 1 && slots[0].load() != 7) std::abort();
  });
  producer.join();
  consumer.join();
}
