// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/race_vector_grows.cpp: both hold the lock.
#include <mutex>
#include <thread>
#include <vector>

int main() {
  std::mutex mutex;
  std::vector<int> items;
  std::size_t seen = 0;
  std::thread writer([&] {
    const std::lock_guard guard(mutex);
    items.push_back(1);
  });
  std::thread reader([&] {
    const std::lock_guard guard(mutex);
    seen = items.size();
  });
  writer.join();
  reader.join();
  return seen > 1;
}
