// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/race_relaxed_publication.cpp: it is stored with release,
// loaded with acquire.
#include <atomic>
#include <thread>

int main() {
  std::atomic<bool> ready{false};
  int data = 0;
  int seen = 1;
  std::thread producer([&] {
    data = 1;
    ready.store(true, std::memory_order_release);
  });
  std::thread consumer([&] {
    if (ready.load(std::memory_order_acquire)) seen = data;
  });
  producer.join();
  consumer.join();
  return seen == 0;
}
