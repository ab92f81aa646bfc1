// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/double_checked_relaxed_flag.cpp: the flag is stored with
// release and loaded with acquire.
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::atomic<bool> made{false};
int object = 0;

void use() {
  if (!made.load(std::memory_order_acquire)) {
    const std::lock_guard guard(mutex);
    if (!made.load(std::memory_order_relaxed)) {
      object = 42;
      made.store(true, std::memory_order_release);
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
