// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: assertion
// Preemptions: 1
// Class: semaphore misuse
//
// An error path releases the permit that the end of the scope releases again: then two are inside.
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
  if (fails) permit.release();
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
