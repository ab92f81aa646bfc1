// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: reader/writer
//
// A counter is increased under a lock held for reading, by two at a time.
#include <pthread.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int hits = 0;

static void *hit(void *unused) {
  pthread_rwlock_rdlock(&lock);
  ++hits;
  pthread_rwlock_unlock(&lock);
  return unused;
}

int main(void) {
  pthread_t one, two;
  if (pthread_create(&one, NULL, hit, NULL) != 0) return 1;
  if (pthread_create(&two, NULL, hit, NULL) != 0) return 1;
  pthread_join(one, NULL);
  pthread_join(two, NULL);
  return hits == 2 ? 0 : 1;
}
