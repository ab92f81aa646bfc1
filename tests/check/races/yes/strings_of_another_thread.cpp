// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A string that is measured while it is written.
#include <cstring>
#include <thread>

char text[32] = "before";
const char* volatile from = "afterwards";
std::size_t measured = 0;

void first() { std::strcpy(text, from); }

void second() { measured = std::strlen(text); }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
  return measured == 0 ? 1 : 0;
}
