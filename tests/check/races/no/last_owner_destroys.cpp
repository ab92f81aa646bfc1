// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The last owner of a shared_ptr comes after all the others.
#include <memory>
#include <thread>

struct Object {
  ~Object() { last = value; }
  int value = 0;
  static int last;
};
int Object::last = 0;

int main() {
  auto object = std::make_shared<Object>();
  std::thread one([mine = object]() mutable {
    mine->value = 1;
    mine.reset();
  });
  std::thread two([mine = std::move(object)]() mutable { mine.reset(); });
  one.join();
  two.join();
}
