// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The initialisation of a static local orders all who use it.
#include <thread>

int calls = 0;
int seen[2];

const int& value() {
  static const int made = ++calls;
  return made;
}

void first() { seen[0] = value(); }

void second() { seen[1] = value(); }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
