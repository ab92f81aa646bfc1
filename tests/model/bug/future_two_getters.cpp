// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: future misuse
//
// Two threads get() the same std::future, which is for one.
#include <future>
#include <thread>

int main() {
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  int sum[2] = {0, 0};
  const auto get = [&](int i) {
    if (future.valid()) sum[i] = future.get();
  };
  std::thread one(get, 0);
  std::thread two(get, 1);
  promise.set_value(1);
  one.join();
  two.join();
  return sum[0] + sum[1] > 2;
}
