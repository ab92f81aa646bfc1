// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A field of width zero parts two memory locations.
#include <thread>

struct Flags {
  unsigned left : 4;
  unsigned : 0;
  unsigned right : 4;
};
Flags data{};

void first() { data.left = 1; }

void second() { data.right = 2; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
