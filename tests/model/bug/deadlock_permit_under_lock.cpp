// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 0
// Class: deadlock
//
// A consumer waits for an item with the lock held that the producer needs to put one.
#include <mutex>
#include <queue>
#include <semaphore>
#include <thread>

int main() {
  std::mutex mutex;
  std::counting_semaphore<4> items{0};
  std::queue<int> queue;
  std::thread consumer([&] {
    const std::lock_guard guard(mutex);
    items.acquire();
    queue.pop();
  });
  std::thread producer([&] {
    const std::lock_guard guard(mutex);
    queue.push(1);
    items.release();
  });
  consumer.join();
  producer.join();
}
