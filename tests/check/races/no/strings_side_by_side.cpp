// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two strings in one array, each thread's own; and one that both only read.
#include <cstring>
#include <thread>

char text[32];
const char* volatile from = "fifteen letters";
int differs[2];

void first() {
  std::strcpy(text, from);
  differs[0] = std::strcmp(text, from);
}

void second() {
  std::strncpy(text + 16, from, 16);
  differs[1] = std::memcmp(text + 16, from, std::strlen(from));
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
  return differs[0] != 0 || differs[1] != 0 ? 1 : 0;
}
