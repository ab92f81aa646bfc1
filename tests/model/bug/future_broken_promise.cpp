// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: exception
// Preemptions: 0
// Class: future misuse
//
// A cancelled worker destroys its promise without an answer, and who waits for it gets an
// exception.
#include <atomic>
#include <future>
#include <thread>

int main() {
  std::promise<int> promise;
  auto future = promise.get_future();
  std::atomic<bool> cancelled{false};
  std::thread worker([&cancelled, mine = std::move(promise)]() mutable {
    if (cancelled.load()) {
      const std::promise<int> dropped = std::move(mine);
      return;
    }
    mine.set_value(1);
  });
  std::thread canceller([&] { cancelled.store(true); });
  const int value = future.get();
  worker.join();
  canceller.join();
  return value == 0;
}
