// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/rw_seqlock_without_second_look.cpp: the sequence is
// compared again after the data was read.
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
    if (sequence.load() == before && one != two) std::abort();
  });
  writer.join();
  reader.join();
}
