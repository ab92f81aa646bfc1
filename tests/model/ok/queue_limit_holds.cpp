// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two putters and a limit that is not the ring's size: never more inside than the limit.
#include <thrum/queue.h>

#include <thread>

int main() {
  thrum::Queue<int> queue(4);
  queue.set_maxsize(1);
  int in_a = 0, in_b = 0;
  std::thread a([&] { in_a = queue.put(1, thrum::nonblocking); });
  std::thread b([&] { in_b = queue.put(2, thrum::nonblocking); });
  a.join();
  b.join();
  return in_a + in_b == 1 && queue.qsize() == 1 ? 0 : 1;
}
