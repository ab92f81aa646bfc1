// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <mutex>
#include <thread>

std::mutex left;
std::mutex right;

int main() {
  std::thread one([] {
    const std::lock_guard first(left);
    const std::lock_guard second(right);
  });
  std::thread other([] {
    const std::lock_guard first(right);
    const std::lock_guard second(left);
  });
  one.join();
  other.join();
}
