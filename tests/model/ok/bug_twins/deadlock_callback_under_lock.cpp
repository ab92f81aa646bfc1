// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_callback_under_lock.cpp: listeners are called
// without the lock.
#include <functional>
#include <mutex>
#include <thread>

int main() {
  std::mutex subject;
  std::mutex view;
  int value = 0;
  int shown = 0;
  const std::function<void(int)> listener = [&](int now) {
    const std::lock_guard guard(view);
    shown = now;
  };
  std::thread setter([&] {
    std::unique_lock lock(subject);
    const int now = ++value;
    lock.unlock();
    listener(now);
  });
  std::thread painter([&] {
    const std::lock_guard guard(view);
    const std::lock_guard inner(subject);
    shown = value;
  });
  setter.join();
  painter.join();
}
