// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two ranges that touch, and share no byte.
#include <cstring>
#include <thread>

unsigned char from[64];
unsigned char to[64];
std::size_t half = 29;

void first() { std::memcpy(to, from, half); }

void second() { std::memcpy(to + half, from, sizeof(to) - half); }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
