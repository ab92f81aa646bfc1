// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: lock-free semaphore
//
// try_acquire() takes first and gives back if there was none: another is refused a permit that is
// there.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<int> permits{0};

bool try_acquire() {
  if (permits.fetch_sub(1) > 0) return true;
  permits.fetch_add(1);
  return false;
}

}  // namespace

int main() {
  std::atomic<int> got{0};
  std::thread hasty([&] {
    if (try_acquire()) got.fetch_add(1);
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
