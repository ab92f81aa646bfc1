// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two plain writes.
#include <thread>

int data = 0;

void first() { data = 1; }

void second() { data = 2; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
