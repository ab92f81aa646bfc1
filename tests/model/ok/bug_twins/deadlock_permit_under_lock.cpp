// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_permit_under_lock.cpp: the permit is taken before
// the lock.
#include <mutex>
#include <queue>
#include <semaphore>
#include <thread>

int main() {
  std::mutex mutex;
  std::counting_semaphore<4> items{0};
  std::queue<int> queue;
  std::thread consumer([&] {
    items.acquire();
    const std::lock_guard guard(mutex);
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
