// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Who got the last item destroys the queue while the put may still be returning.
#include <thrum/queue.h>

#include <memory>
#include <thread>

int main() {
  auto queue = std::make_unique<thrum::Queue<int>>(1);
  std::thread putter([shared = queue.get()] {
    shared->put(1);
    shared->put(2);  // may block
  });
  const int sum = queue->get() + queue->get();
  queue.reset();
  putter.join();
  return sum - 3;
}
