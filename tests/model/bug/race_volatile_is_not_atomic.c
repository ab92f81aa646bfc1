// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: race
// Preemptions: 0
// Class: data race
//
// A volatile counter is increased by two threads.
#include <pthread.h>
#include <stdatomic.h>

static volatile int count = 0;

static void *add(void *unused) {
  count = count + 1;
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
