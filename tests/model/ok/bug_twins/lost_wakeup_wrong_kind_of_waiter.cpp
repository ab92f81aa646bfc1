// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/lost_wakeup_wrong_kind_of_waiter.cpp: all are woken.
#include <condition_variable>
#include <mutex>
#include <thread>

int main() {
  std::mutex mutex;
  std::condition_variable changed;
  bool full = false;
  const auto put = [&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !full; });
    full = true;
    changed.notify_all();
  };
  const auto get = [&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return full; });
    full = false;
    changed.notify_all();
  };
  std::thread first(get);
  std::thread second(get);
  std::thread third([&] {
    put();
    put();
  });
  first.join();
  second.join();
  third.join();
}
