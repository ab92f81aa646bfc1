// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lockfree_permit_taken_and_given_back.cpp: it takes only
// what is there.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<int> permits{0};

bool try_acquire() {
  int seen = permits.load();
  while (seen > 0) {
    if (permits.compare_exchange_weak(seen, seen - 1)) return true;
  }
  return false;
}

}  // namespace

int main() {
  std::atomic<int> got{0};
  std::thread hasty([&] {
    got.fetch_add(1);
    if (!try_acquire()) got.fetch_sub(1);
  });
  std::thread giver([&] {
    permits.fetch_add(1);
    if (try_acquire()) {
      got.fetch_add(1);
    } else if (got.load() == 0) {
      std::abort();
    }
  });
  hasty.join();
  giver.join();
}
