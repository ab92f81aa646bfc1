// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// flood N: more events at once than a ring holds, while the watcher is stopped (see the test).
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

int main(int, char** argv) {
  const long n = std::atol(argv[1]);
  kill(getppid(), SIGSTOP);
  // Each place in memory is another lock, so each acquire is an event.
  static pthread_mutex_t locks[4096];
  for (long i = 0; i < n; ++i) {
    pthread_mutex_t& lock = locks[i % 4096];
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
  }
  kill(getppid(), SIGCONT);
  std::puts("through");
}
