// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Who reads what is made once must go through call_once() itself.
#include <mutex>
#include <thread>

int data = 0;
int seen = 0;
std::once_flag once;

void first() {
  std::call_once(once, [] { data = 1; });
}

void second() { seen = data; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
