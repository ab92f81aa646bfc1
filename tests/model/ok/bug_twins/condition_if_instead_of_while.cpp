// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/condition_if_instead_of_while.cpp: it looks again each
// time it wakes.
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::condition_variable condition;
  int items = 0;
  const auto take = [&] {
    std::unique_lock lock(mutex);
    while (items == 0) condition.wait(lock);
    if (items == 0) std::abort();
    --items;
  };
  std::thread one(take);
  std::thread two(take);
  std::thread giver([&] {
    for (int i = 0; i < 2; ++i) {
      const std::lock_guard guard(mutex);
      ++items;
      condition.notify_all();
    }
  });
  one.join();
  two.join();
  giver.join();
}
