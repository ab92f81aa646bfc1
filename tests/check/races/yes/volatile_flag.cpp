// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// volatile is not atomic.
#include <thread>

volatile int data = 0;
int seen = 0;

void first() { data = 1; }

void second() { seen = data; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
