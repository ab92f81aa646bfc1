// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/free_element_while_vector_moves.cpp: the vector has room
// for all of them from the start.
#include <mutex>
#include <thread>
#include <vector>

int main() {
  std::mutex mutex;
  std::vector<int> items{1};
  items.reserve(2);
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
