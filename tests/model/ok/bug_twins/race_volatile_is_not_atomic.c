// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/race_volatile_is_not_atomic.c: it is atomic.
#include <pthread.h>
#include <stdatomic.h>

static atomic_int count = 0;

static void *add(void *unused) {
  atomic_fetch_add(&count, 1);
  return unused;
}

int main(void) {
  pthread_t one, two;
  if (pthread_create(&one, NULL, add, NULL) != 0) return 1;
  if (pthread_create(&two, NULL, add, NULL) != 0) return 1;
  pthread_join(one, NULL);
  pthread_join(two, NULL);
  return count > 2;
}
