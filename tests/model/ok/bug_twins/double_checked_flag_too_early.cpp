// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/double_checked_flag_too_early.cpp: the flag is set last.
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
      object.store(42);
      made.store(true);
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
