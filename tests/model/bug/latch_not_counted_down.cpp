// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: barrier
//
// Of two workers, the one that finds nothing to do does not count the latch down.
#include <atomic>
#include <latch>
#include <thread>

int main() {
  std::latch done(2);
  std::atomic<int> jobs{1};
  std::atomic<int> finished{0};
  const auto work = [&] {
    const int before = jobs.load();
    if (before == 0) return;
    jobs.store(before - 1);
    finished.fetch_add(1);
    done.count_down();
  };
  std::thread one(work);
  std::thread two(work);
  done.wait();
  one.join();
  two.join();
}
