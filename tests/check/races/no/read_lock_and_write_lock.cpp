// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Readers and a writer of a shared mutex.
#include <mutex>
#include <shared_mutex>
#include <thread>

int data = 0;
int seen[2];
std::shared_mutex mutex;

void first() {
  const std::shared_lock guard(mutex);
  seen[0] = data;
}

void second() {
  const std::shared_lock guard(mutex);
  seen[1] = data;
}

void third() {
  const std::unique_lock guard(mutex);
  data = 2;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  std::thread three(third);
  one.join();
  two.join();
  three.join();
}
