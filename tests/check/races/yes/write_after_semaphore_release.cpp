// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What is written after the permit was released is not ordered by it.
#include <semaphore>
#include <thread>

int data = 0;
int seen = 0;
std::binary_semaphore ready{0};

void first() {
  ready.release();
  data = 1;
}

void second() {
  ready.acquire();
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
