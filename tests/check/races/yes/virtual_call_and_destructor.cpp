// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A virtual call reads the pointer to the table that the destructor of the base writes.
#include <new>
#include <thread>

struct Base {
  Base() = default;
  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;
  virtual ~Base() { last(); }  // sets the table of Base
  virtual int call() const { return 1; }
  [[gnu::noinline]] void last() const;
};
struct Derived : Base {
  int call() const override { return 2; }
};
int seen = 0;
int last_call = 0;

void Base::last() const { last_call = call(); }
alignas(Derived) unsigned char place[sizeof(Derived)];
const Base* object = nullptr;

int main() {
  auto* const derived = new (place) Derived;
  object = derived;
  std::thread caller([] { seen = object->call(); });
  derived->~Derived();
  caller.join();
}
