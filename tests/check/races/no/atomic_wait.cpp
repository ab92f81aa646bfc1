// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A thread that was woken from atomic::wait() has acquired the value.
#include <atomic>
#include <thread>

int data = 0;
int seen = 0;
std::atomic<int> flag{0};

void first() {
  data = 1;
  flag.store(1, std::memory_order_release);
  flag.notify_one();
}

void second() {
  flag.wait(0, std::memory_order_acquire);
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
