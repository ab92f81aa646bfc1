// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_size_then_element.cpp: size and element are read
// under one lock.
#include <mutex>
#include <thread>
#include <vector>

int main() {
  std::recursive_mutex mutex;
  std::vector<int> items{1, 2};
  const auto size = [&] {
    const std::lock_guard guard(mutex);
    return items.size();
  };
  const auto item = [&](std::size_t i) {
    const std::lock_guard guard(mutex);
    return items.at(i);
  };
  int last = 0;
  std::thread reader([&] {
    const std::lock_guard guard(mutex);
    last = item(size() - 1);
  });
  std::thread eraser([&] {
    const std::lock_guard guard(mutex);
    items.pop_back();
  });
  reader.join();
  eraser.join();
  return last == 0;
}
