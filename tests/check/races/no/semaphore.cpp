// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A permit orders what comes before it.
#include <semaphore>
#include <thread>

int data = 0;
int seen = 0;
std::binary_semaphore ready{0};

void first() {
  data = 1;
  ready.release();
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
