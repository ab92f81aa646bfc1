// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// First in, first out for each putter, over more than a lap.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue(2);
  std::thread odd([&] {
    queue.put(1);
    queue.put(3);
  });
  std::thread even([&] {
    queue.put(2);
    queue.put(4);
  });
  int last[2] = {-1, 0};
  int wrong = 0;
  for (int i = 0; i < 4; ++i) {
    const int item = queue.get();
    wrong += item <= last[item % 2 == 0 ? 1 : 0];
    last[item % 2 == 0 ? 1 : 0] = item;
  }
  odd.join();
  even.join();
  return wrong;
}
