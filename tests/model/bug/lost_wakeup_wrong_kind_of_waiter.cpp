// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: lost wake-up
//
// Producers and consumers of a full or empty place share a condition, and notify_one wakes one of
// its own kind.
#include <condition_variable>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::condition_variable changed;
  bool full = false;
  const auto put = [&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !full; });
    full = true;
    changed.notify_one();
  };
  const auto get = [&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return full; });
    full = false;
    changed.notify_one();
  };
  std::thread first(get);
  std::thread second(get);
  std::thread third([&] {
    put();
    put();
  });
  first.join();
  second.join();
  third.join();
}
