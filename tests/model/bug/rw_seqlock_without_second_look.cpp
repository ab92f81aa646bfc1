// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: reader/writer
//
// A reader of a sequence lock checks that no write is going on, but not that none happened
// meanwhile.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<unsigned> sequence{0};
  std::atomic<int> low{0};
  std::atomic<int> high{0};
  std::thread writer([&] {
    sequence.fetch_add(1);
    low.store(1);
    high.store(1);
    sequence.fetch_add(1);
  });
  std::thread reader([&] {
    const unsigned before = sequence.load();
    if (before % 2 != 0) return;
    const int one = low.load();
    const int two = high.load();
    if (one != two) std::abort();
  });
  writer.join();
  reader.join();
}
