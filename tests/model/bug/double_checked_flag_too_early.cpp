// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: double-checked locking
//
// The flag is set before the object is complete, and who sees it does not take the lock.
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::atomic<bool> made{false};
std::atomic<int> object{0};

void use() {
  if (!made.load()) {
    const std::lock_guard guard(mutex);
    if (!made.load()) {
      made.store(true);
      object.store(42);
    }
  }
  if (object.load() != 42) std::abort();
}

}  // namespace

int main() {
  std::thread one(use);
  std::thread two(use);
  one.join();
  two.join();
}
