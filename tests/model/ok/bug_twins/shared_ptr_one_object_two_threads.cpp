// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/shared_ptr_one_object_two_threads.cpp: it is a
// std::atomic<std::shared_ptr>, or, as here, guarded by a mutex.
#include <memory>
#include <mutex>
#include <thread>

int main() {
  auto current = std::make_shared<int>(1);
  std::mutex mutex;
  int seen = 0;
  std::thread reader([&] {
    std::unique_lock lock(mutex);
    const std::shared_ptr<int> mine = current;
    lock.unlock();
    seen = *mine;
  });
  std::thread writer([&] {
    auto newer = std::make_shared<int>(2);
    const std::lock_guard guard(mutex);
    current = newer;
  });
  reader.join();
  writer.join();
  return seen == 0;
}
