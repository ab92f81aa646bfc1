// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 1
// Class: deadlock
//
// A listener is called with the lock held, and takes a lock whose holder is about to call in.
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
