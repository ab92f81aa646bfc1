// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two readers of a shared mutex write.
#include <shared_mutex>
#include <thread>

int data = 0;
std::shared_mutex mutex;

void first() {
  const std::shared_lock guard(mutex);
  data = 1;
}

void second() {
  const std::shared_lock guard(mutex);
  data = 2;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
