// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/free_while_reference_is_taken.cpp: pointer and count are
// read under a lock.
#include <atomic>
#include <mutex>
#include <thread>

namespace {

struct Object {
  std::atomic<int> references{1};
};

std::mutex mutex;
std::atomic<Object*> current{new Object};

void drop(Object* object) {
  if (object->references.fetch_sub(1) == 1) delete object;
}

void use() {
  const std::lock_guard guard(mutex);
  Object* const object = current.load();
  if (object == nullptr) return;
  object->references.fetch_add(1);
  drop(object);
}

void replace() {
  const std::lock_guard guard(mutex);
  drop(current.exchange(nullptr));
}

}  // namespace

int main() {
  std::thread user(use);
  std::thread replacer(replace);
  user.join();
  replacer.join();
}
