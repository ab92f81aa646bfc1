// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/future_broken_promise.cpp: a cancelled worker answers as
// well.
#include <atomic>
#include <future>
#include <thread>

int main() {
  std::promise<int> promise;
  auto future = promise.get_future();
  std::atomic<bool> cancelled{false};
  std::thread worker([&cancelled, mine = std::move(promise)]() mutable {
    if (cancelled.load()) {
      mine.set_value(2);
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
