// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: data race
//
// One thread appends to a vector while another asks for its size.
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
  std::thread reader([&] { seen = items.size(); });
  writer.join();
  reader.join();
  return seen > 1;
}
