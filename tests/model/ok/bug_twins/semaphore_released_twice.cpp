// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/semaphore_released_twice.cpp: one of the two releases it.
#include <atomic>
#include <cstdlib>
#include <semaphore>
#include <thread>

namespace {

std::counting_semaphore<4> permit{1};
std::atomic<int> inside{0};

void work(bool fails) {
  permit.acquire();
  if (inside.fetch_add(1) != 0) std::abort();
  inside.fetch_sub(1);
  if (fails) std::this_thread::yield();
  permit.release();
}

}  // namespace

int main() {
  std::thread one(work, true);
  std::thread two(work, false);
  std::thread three(work, false);
  one.join();
  two.join();
  three.join();
}
