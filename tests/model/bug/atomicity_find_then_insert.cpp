// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: atomicity violation
//
// A value is computed between the look into the cache and the insertion, without the lock: twice.
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::map<int, int> cache;
  int computed = 0;
  const auto get = [&](int key) {
    std::unique_lock lock(mutex);
    if (cache.count(key) != 0) return;
    lock.unlock();
    const int value = key * key;
    lock.lock();
    ++computed;
    cache[key] = value;
  };
  std::thread one(get, 3);
  std::thread two(get, 3);
  one.join();
  two.join();
  if (computed != 1) std::abort();
}
