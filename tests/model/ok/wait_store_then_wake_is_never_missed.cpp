// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Whoever stores and then wakes frees a thread wherever it is between its test and its sleep.
#include <thrum/wait.h>

#include <thread>

int main() {
  thrum::Word word{0};
  std::thread waiter([&] {
    while (word.load(std::memory_order_acquire) == 0) (void)thrum::wait(word, 0, thrum::forever);
  });
  word.store(1, std::memory_order_release);
  thrum::wake(&word, 1);
  waiter.join();
}
