// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lockfree_ring_overfull.cpp: a place is claimed only while
// it is free, in one step.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

constexpr unsigned kPlaces = 1;
std::atomic<unsigned> claimed{0};

void put() {
  unsigned seen = claimed.load();
  while (seen != kPlaces) {
    if (claimed.compare_exchange_weak(seen, seen + 1)) return;
  }
  if (claimed.load() > kPlaces) std::abort();
}

}  // namespace

int main() {
  std::thread one(put);
  std::thread two(put);
  one.join();
  two.join();
}
