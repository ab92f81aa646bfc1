// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A write of eight bytes and a write of one of them.
#include <cstdint>
#include <thread>

union Word {
  std::uint64_t whole;
  unsigned char bytes[8];
};
Word data{0};

void first() { data.whole = 1; }

void second() { data.bytes[5] = 2; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
