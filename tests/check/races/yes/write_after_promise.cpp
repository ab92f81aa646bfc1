// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What is written after the promise was kept is not ordered by it.
#include <future>
#include <thread>

int data = 0;
int seen = 0;
std::promise<void> promise;
std::future<void> future = promise.get_future();

void first() {
  promise.set_value();
  data = 1;
}

void second() {
  future.get();
  seen = data;
}

int main() {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
}
