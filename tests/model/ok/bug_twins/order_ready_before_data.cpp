// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/order_ready_before_data.cpp: data first, then the flag.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> data{0};
  std::atomic<bool> ready{false};
  std::thread producer([&] {
    data.store(42);
    ready.store(true);
  });
  std::thread consumer([&] {
    if (ready.load() && data.load() != 42) std::abort();
  });
  producer.join();
  consumer.join();
}
