// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// An atomic write and a plain read of the same variable.
#include <thread>

int data = 0;
int seen = 0;

void first() { std::atomic_ref<int>(data).store(1); }

void second() { seen = data; }

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
