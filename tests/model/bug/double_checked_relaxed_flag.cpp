// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: double-checked locking
//
// The flag is atomic but relaxed: it orders nothing, so the object behind it races.
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::atomic<bool> made{false};
int object = 0;

void use() {
  if (!made.load(std::memory_order_relaxed)) {
    const std::lock_guard guard(mutex);
    if (!made.load(std::memory_order_relaxed)) {
      object = 42;
      made.store(true, std::memory_order_relaxed);
    }
  }
  if (object != 42) std::abort();
}

}  // namespace

int main() {
  std::thread one(use);
  std::thread two(use);
  one.join();
  two.join();
}
