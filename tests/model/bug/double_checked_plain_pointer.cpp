// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: double-checked locking
//
// The first look at the pointer is neither atomic nor locked.
#include <mutex>
#include <thread>

namespace {

struct Object {
  int value = 1;
};

std::mutex mutex;
Object* instance = nullptr;

int get() {
  if (instance == nullptr) {
    const std::lock_guard guard(mutex);
    if (instance == nullptr) instance = new Object;
  }
  return instance->value;
}

}  // namespace

int main() {
  std::thread one(get);
  std::thread two(get);
  one.join();
  two.join();
  delete instance;
}
