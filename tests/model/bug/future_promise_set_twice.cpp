// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: exception
// Preemptions: 1
// Class: future misuse
//
// Two threads that race for an answer both find it not given, and give it.
#include <atomic>
#include <future>
#include <thread>

int main() {
  std::promise<int> promise;
  std::atomic<bool> answered{false};
  const auto answer = [&](int value) {
    if (answered.load()) return;
    answered.store(true);
    promise.set_value(value);
  };
  std::thread one(answer, 1);
  std::thread two(answer, 2);
  const int value = promise.get_future().get();
  one.join();
  two.join();
  return value == 0;
}
