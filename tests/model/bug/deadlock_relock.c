// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 0
// Class: deadlock
//
// A function that takes a lock calls, while it holds it, one that takes it as well.
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int total = 0;

static void add(int n) {
  pthread_mutex_lock(&mutex);
  total += n;
  pthread_mutex_unlock(&mutex);
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
