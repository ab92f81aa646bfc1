// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: lock-free queue
//
// Two producers find the same last place free, and both claim one.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

constexpr unsigned kPlaces = 1;
std::atomic<unsigned> claimed{0};

void put() {
  if (claimed.load() == kPlaces) return;
  if (claimed.fetch_add(1) >= kPlaces) std::abort();
}

}  // namespace

int main() {
  std::thread one(put);
  std::thread two(put);
  one.join();
  two.join();
}
