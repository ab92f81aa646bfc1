// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_sleeps_unannounced.cpp: it says so, and looks
// once more.
#include <atomic>
#include <thread>

int main() {
  std::atomic<int> work{0};
  std::atomic<bool> sleeping{false};
  std::thread worker([&] {
    while (work.load() == 0) {
      sleeping.store(true);
      if (work.load() == 0) sleeping.wait(true);
    }
  });
  work.store(1);
  if (sleeping.exchange(false)) sleeping.notify_one();
  worker.join();
}
