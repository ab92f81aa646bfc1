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
  // The end of a lock is an event, always: the next one at its address is another.
  static pthread_mutex_t lock;
  for (long i = 0; i < n; ++i) {
    pthread_mutex_init(&lock, nullptr);
    pthread_mutex_destroy(&lock);
  }
  kill(getppid(), SIGCONT);
  std::puts("through");
}
