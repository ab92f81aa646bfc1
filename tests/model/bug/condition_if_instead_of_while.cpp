// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: condition misuse
//
// A woken consumer takes without looking again, after another has taken what it was woken for.
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
    if (items == 0) condition.wait(lock);
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
