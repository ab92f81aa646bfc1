// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One putter may be stopped as room is made; if it is, the other has the room.
#include <thrum/queue.h>

#include <stop_token>
#include <thread>

int main() {
  thrum::Queue<int> queue(1);
  queue.put(0);
  std::stop_source source;
  std::thread stopped([&] {
    if (queue.put(1, source.get_token())) (void)queue.get();
  });
  std::thread waits([&] { queue.put(2); });
  source.request_stop();
  (void)queue.get();
  waits.join();
  stopped.join();
}
