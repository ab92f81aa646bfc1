// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Two threads that lock each other up, when both have slept for two seconds.
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

std::mutex left, right;

void take(std::mutex& first, std::mutex& second) {
  const std::lock_guard outer(first);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const std::lock_guard inner(second);
}

int main() {
  std::thread one(take, std::ref(left), std::ref(right)),
      two(take, std::ref(right), std::ref(left));
  one.join();
  two.join();
}
