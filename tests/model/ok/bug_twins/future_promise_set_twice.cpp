// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/future_promise_set_twice.cpp: who sets the flag gives the
// answer.
#include <atomic>
#include <future>
#include <thread>

int main() {
  std::promise<int> promise;
  std::atomic<bool> answered{false};
  const auto answer = [&](int value) {
    if (answered.exchange(true)) return;
    promise.set_value(value);
  };
  auto future = promise.get_future();
  std::thread one(answer, 1);
  std::thread two(answer, 2);
  const int value = future.get();
  one.join();
  two.join();
  return value == 0;
}
