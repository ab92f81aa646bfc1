// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Both write after the barrier.
#include <barrier>
#include <thread>

int data = 0;
std::barrier<> barrier(2);

void first() {
  barrier.arrive_and_wait();
  data = 1;
}

void second() {
  barrier.arrive_and_wait();
  data = 2;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
