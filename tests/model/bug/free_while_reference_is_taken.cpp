// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 1
// Class: use after free
//
// A reference is counted after the pointer was read: in between, the last one is given up.
#include <atomic>
#include <thread>

namespace {

struct Object {
  std::atomic<int> references{1};
};

std::atomic<Object*> current{new Object};

void drop(Object* object) {
  if (object->references.fetch_sub(1) == 1) delete object;
}

void use() {
  Object* const object = current.load();
  if (object == nullptr) return;
  object->references.fetch_add(1);
  drop(object);
}

void replace() { drop(current.exchange(nullptr)); }

}  // namespace

int main() {
  std::thread user(use);
  std::thread replacer(replace);
  user.join();
  replacer.join();
}
