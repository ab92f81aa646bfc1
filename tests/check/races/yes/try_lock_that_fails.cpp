// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A try_lock() that fails orders nothing.
#include <atomic>
#include <mutex>
#include <thread>

int data = 0;
int seen = 0;
std::mutex mutex;
std::atomic<bool> held{false};
std::atomic<bool> done{false};

void first() {
  const std::lock_guard guard(mutex);
  data = 1;
  held.store(true, std::memory_order_relaxed);
  while (!done.load(std::memory_order_relaxed)) std::this_thread::yield();
}

void second() {
  while (!held.load(std::memory_order_relaxed)) std::this_thread::yield();
  if (mutex.try_lock()) mutex.unlock();
  seen = data;
  done.store(true, std::memory_order_relaxed);
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
