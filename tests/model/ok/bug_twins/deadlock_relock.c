// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/deadlock_relock.c: the inner function expects the lock to
// be held.
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int total = 0;

static void add(int n) {
  total += n;
}

static void *add_twice(void *unused) {
  pthread_mutex_lock(&mutex);
  if (total == 0) add(1);
  pthread_mutex_unlock(&mutex);
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, add_twice, NULL) != 0) return 1;
  pthread_join(thread, NULL);
  return total == 1 ? 0 : 1;
}
