// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/atomicity_first_one_starts.cpp: the flag is tested and set
// in one step.
#include <atomic>
#include <cstdlib>
#include <thread>

int main() {
  std::atomic<bool> started{false};
  std::atomic<int> starts{0};
  const auto ensure_started = [&] {
    if (!started.exchange(true)) ++starts;
  };
  std::thread one(ensure_started);
  std::thread two(ensure_started);
  one.join();
  two.join();
  if (starts.load() != 1) std::abort();
}
