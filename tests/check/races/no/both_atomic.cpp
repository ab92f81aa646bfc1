// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Relaxed accesses race with no atomic access.
#include <atomic>
#include <thread>

std::atomic<int> data{0};

void first() { data.store(1, std::memory_order_relaxed); }

void second() { data.fetch_add(1, std::memory_order_relaxed); }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
