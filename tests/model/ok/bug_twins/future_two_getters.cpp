// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/future_two_getters.cpp: each has its own
// std::shared_future.
#include <future>
#include <thread>

int main() {
  std::promise<int> promise;
  const std::shared_future<int> future = promise.get_future().share();
  int sum[2] = {0, 0};
  const auto get = [&sum](const std::shared_future<int>& mine, int i) {
    if (mine.valid()) sum[i] = mine.get();
  };
  std::thread one(get, future, 0);
  std::thread two(get, future, 1);
  promise.set_value(1);
  one.join();
  two.join();
  return sum[0] + sum[1] > 2;
}
