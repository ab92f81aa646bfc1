// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: leak
// Preemptions: 0
// Class: leaked thread
//
// A thread that can be joined is neither joined nor detached, although it has ended.
#include <pthread.h>
#include <stdatomic.h>

static atomic_int done;

static void *work(void *unused) {
  atomic_store(&done, 1);
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, NULL) != 0) return 1;
  while (!atomic_load(&done)) {
  }
  return 0;
}
