// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: order violation
//
// The flag is raised before the data it stands for is written.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> data{0};
  std::atomic<bool> ready{false};
  std::thread producer([&] {
    ready.store(true);
    data.store(42);
  });
  std::thread consumer([&] {
    if (ready.load() && data.load() != 42) std::abort();
  });
  producer.join();
  consumer.join();
}
