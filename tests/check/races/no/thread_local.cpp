// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Each thread has its own.
#include <thread>

thread_local int mine = 0;

void first() { ++mine; }

void second() { ++mine; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
