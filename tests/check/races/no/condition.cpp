// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Data written before the notification, under the mutex.
#include <condition_variable>
#include <mutex>
#include <thread>

int data = 0;
int seen = 0;
bool ready = false;
std::mutex mutex;
std::condition_variable condition;

void first() {
  data = 1;
  const std::lock_guard guard(mutex);
  ready = true;
  condition.notify_one();
}

void second() {
  std::unique_lock lock(mutex);
  condition.wait(lock, [] { return ready; });
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
