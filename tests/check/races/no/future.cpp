// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What is written before the promise is kept.
#include <future>
#include <thread>

int data = 0;
int seen = 0;
std::promise<void> promise;
std::future<void> future = promise.get_future();

void first() {
  data = 1;
  promise.set_value();
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
