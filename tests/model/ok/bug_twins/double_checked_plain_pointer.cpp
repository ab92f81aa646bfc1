// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/double_checked_plain_pointer.cpp: the pointer is atomic.
#include <atomic>
#include <mutex>
#include <thread>

namespace {

struct Object {
  int value = 1;
};

std::mutex mutex;
std::atomic<Object*> instance = nullptr;

int get() {
  if (instance.load(std::memory_order_acquire) == nullptr) {
    const std::lock_guard guard(mutex);
    if (instance.load(std::memory_order_relaxed) == nullptr) {
      instance.store(new Object, std::memory_order_release);
    }
  }
  return instance.load(std::memory_order_acquire)->value;
}

}  // namespace

int main() {
  std::thread one(get);
  std::thread two(get);
  one.join();
  two.join();
  delete instance.load();
}
