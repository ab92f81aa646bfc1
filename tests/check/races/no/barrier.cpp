// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One writes before the barrier, the other reads after it.
#include <barrier>
#include <thread>

int data = 0;
int seen = 0;
std::barrier<> barrier(2);

void first() {
  data = 1;
  barrier.arrive_and_wait();
}

void second() {
  barrier.arrive_and_wait();
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
