// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/semaphore_released_twice.cpp: one of the two releases it.
// And it is POSIX's semaphore: libstdc++ 12's may sleep on a permit that is there, if the count was
// taken and given back between its two looks, and in some thousand schedules that is found.
#include <semaphore.h>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

sem_t permit;
std::atomic<int> inside{0};

void work(bool fails) {
  sem_wait(&permit);
  if (inside.fetch_add(1) != 0) std::abort();
  inside.fetch_sub(1);
  if (fails) std::this_thread::yield();
  sem_post(&permit);
}

}  // namespace

int main() {
  sem_init(&permit, 0, 1);
  std::thread one(work, true);
  std::thread two(work, false);
  std::thread three(work, false);
  one.join();
  two.join();
  three.join();
}
