// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_used_before_made.cpp: the pointer is set first.
#include <atomic>
#include <cstdlib>
#include <thread>

namespace {
std::atomic<int*> config{nullptr};
}

int main() {
  int value = 7;
  config.store(&value);
  std::thread worker([] {
    if (*config.load() != 7) std::abort();
  });
  worker.join();
}
