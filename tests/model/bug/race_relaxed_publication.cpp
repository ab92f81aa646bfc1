// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: data race
//
// A flag with relaxed order publishes nothing.
#include <atomic>
#include <thread>

int main() {
  std::atomic<bool> ready{false};
  int data = 0;
  int seen = 1;
  std::thread producer([&] {
    data = 1;
    ready.store(true, std::memory_order_relaxed);
  });
  std::thread consumer([&] {
    if (ready.load(std::memory_order_relaxed)) seen = data;
  });
  producer.join();
  consumer.join();
  return seen == 0;
}
