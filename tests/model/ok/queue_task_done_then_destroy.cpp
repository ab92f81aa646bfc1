// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Who joined destroys the queue while task_done() may still be returning.
#include <thrum/queue.h>

#include <memory>
#include <thread>

int main() {
  auto queue = std::make_unique<thrum::Queue<int>>();
  queue->put(1);
  std::thread worker([shared = queue.get()] {
    (void)shared->get();
    shared->task_done();
  });
  queue->join();
  queue.reset();
  worker.join();
}
