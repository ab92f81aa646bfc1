// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_load_then_store.cpp: the increment is one step.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<int> count{0};
  const auto add = [&] { count.fetch_add(1); };
  std::thread one(add);
  std::thread two(add);
  one.join();
  two.join();
  if (count.load() != 2) std::abort();
}
