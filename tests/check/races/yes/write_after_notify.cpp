// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The data is written after the mutex was released that orders it.
#include <condition_variable>
#include <mutex>
#include <thread>

int data = 0;
int seen = 0;
bool ready = false;
std::mutex mutex;
std::condition_variable condition;

void first() {
  {
    const std::lock_guard guard(mutex);
    ready = true;
  }
  condition.notify_one();
  data = 1;
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
