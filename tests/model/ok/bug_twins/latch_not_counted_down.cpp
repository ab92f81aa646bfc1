// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/latch_not_counted_down.cpp: it counts down on every path.
#include <atomic>
#include <latch>
#include <thread>

int main() {
  std::latch done(2);
  std::atomic<int> jobs{1};
  std::atomic<int> finished{0};
  const auto work = [&] {
    const int before = jobs.load();
    if (before != 0) jobs.store(before - 1);
    finished.fetch_add(1);
    done.count_down();
  };
  std::thread one(work);
  std::thread two(work);
  done.wait();
  one.join();
  two.join();
}
