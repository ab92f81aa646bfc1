// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A byte in the middle of a range that another thread copies.
#include <cstring>
#include <thread>

unsigned char from[64];
unsigned char to[64];
std::size_t length = sizeof(to);

void first() { std::memcpy(to, from, length); }

void second() { to[40] = 1; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
