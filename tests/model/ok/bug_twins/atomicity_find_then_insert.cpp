// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_find_then_insert.cpp: the lock is held from the
// look to the insertion.
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
    const int value = key * key;
    ++computed;
    cache[key] = value;
  };
  std::thread one(get, 3);
  std::thread two(get, 3);
  one.join();
  two.join();
  if (computed != 1) std::abort();
}
