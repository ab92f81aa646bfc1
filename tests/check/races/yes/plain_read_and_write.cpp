// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A plain read and a plain write.
#include <thread>

int data = 0;
int seen = 0;

void first() { seen = data; }

void second() { data = 2; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
