// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 0
// Class: use after free
//
// A reference into a vector is used after another thread made the vector move its elements.
#include <mutex>
#include <thread>
#include <vector>

int main() {
  std::mutex mutex;
  std::vector<int> items{1};
  int& first = items.front();
  std::thread grower([&] {
    const std::lock_guard guard(mutex);
    items.push_back(2);
  });
  std::thread user([&] {
    const std::lock_guard guard(mutex);
    first = 3;
  });
  grower.join();
  user.join();
}
