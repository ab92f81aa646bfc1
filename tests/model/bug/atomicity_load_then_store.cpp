// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: atomicity violation
//
// Each of the two steps of an increment is atomic, the increment is not.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> count{0};
  const auto add = [&] { count.store(count.load() + 1); };
  std::thread one(add);
  std::thread two(add);
  one.join();
  two.join();
  if (count.load() != 2) std::abort();
}
