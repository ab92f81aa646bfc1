// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: lock-free queue
//
// The index says that the slot is full before it is.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> slots[2] = {0, 0};
  std::atomic<unsigned> written{0};
  std::thread producer([&] {
    const unsigned index = written.fetch_add(1);
    slots[index % 2].store(7);
  });
  std::thread consumer([&] {
    if (written.load() == 1 && slots[0].load() != 7) std::abort();
  });
  producer.join();
  consumer.join();
}
