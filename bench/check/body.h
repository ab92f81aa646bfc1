// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Three threads of three locks and unlocks each: 18 operations on a lock, about 31 steps.
#pragma once

#include <cstdlib>
#include <mutex>
#include <thread>

inline void body() {
  std::mutex mutex;
  int count = 0;
  const auto work = [&] {
    for (int i = 0; i < 3; ++i) {
      const std::lock_guard lock(mutex);
      ++count;
    }
  };
  std::thread one(work);
  std::thread two(work);
  std::thread three(work);
  one.join();
  two.join();
  three.join();
  if (count != 9) std::abort();
}
