// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_two_locks.cpp: both are taken at once.
#include <mutex>
#include <thread>

int main() {
  std::mutex a;
  std::mutex b;
  std::thread one([&] { const std::scoped_lock both(a, b); });
  std::thread two([&] { const std::scoped_lock both(b, a); });
  one.join();
  two.join();
}
