// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A put that adds a ring races with a get that empties the one before: the order stays.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue(1);
  queue.put(0);
  queue.set_maxsize(0);
  std::thread putter([&] {
    queue.put(1);
    queue.put(2);
  });
  int wrong = 0;
  for (int i = 0; i < 3; ++i) wrong += queue.get() != i;
  putter.join();
  return wrong;
}
