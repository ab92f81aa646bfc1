// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// handoffs N: two threads on one processor let each other go N times.
#include <sched.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

std::mutex lock;
std::condition_variable condition;
int turn = 0;

void play(int me, int n) {
  for (int i = 0; i < n; ++i) {
    std::unique_lock held(lock);
    condition.wait(held, [&] { return turn == me; });
    turn = 1 - me;
    condition.notify_one();
  }
}

int main(int, char** argv) {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &first);
  sched_setaffinity(0, sizeof first, &first);
  const int n = std::atoi(argv[1]);
  std::thread one(play, 0, n), two(play, 1, n);
  one.join();
  two.join();
}
