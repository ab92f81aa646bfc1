// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: deadlock
// Preemptions: 1
// Class: reader/writer
//
// Two readers wait to become writers, each for the other to stop reading.
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int readers = 0;
static int value = 0;

static void *read_then_write(void *unused) {
  pthread_mutex_lock(&mutex);
  ++readers;
  pthread_mutex_unlock(&mutex);
  /* upgrade: wait until no other reads */
  pthread_mutex_lock(&mutex);
  while (readers > 1) pthread_cond_wait(&changed, &mutex);
  ++value;
  --readers;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  return unused;
}

int main(void) {
  pthread_t one, two;
  if (pthread_create(&one, NULL, read_then_write, NULL) != 0) return 1;
  if (pthread_create(&two, NULL, read_then_write, NULL) != 0) return 1;
  pthread_join(one, NULL);
  pthread_join(two, NULL);
  return value == 2 ? 0 : 1;
}
