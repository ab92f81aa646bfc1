// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Data written before the count down, read after the wait.
#include <latch>
#include <thread>

int data = 0;
int seen = 0;
std::latch latch(1);

void first() {
  data = 1;
  latch.count_down();
}

void second() {
  latch.wait();
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
