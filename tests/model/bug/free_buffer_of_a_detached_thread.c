// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: use after free
// Preemptions: 1
// Class: use after free
//
// A thread is told to stop, and its buffer is freed without waiting until it has.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_int stop;
static atomic_int stopped;

static void *fill(void *buffer) {
  if (!atomic_load(&stop)) *(int *)buffer = 1;
  atomic_store(&stopped, 1);
  return NULL;
}

int main(void) {
  pthread_t thread;
  int *const buffer = malloc(sizeof *buffer);
  if (buffer == NULL || pthread_create(&thread, NULL, fill, buffer) != 0) return 1;
  atomic_store(&stop, 1);
  free(buffer);
  pthread_join(thread, NULL);
  return atomic_load(&stopped) == 1 ? 0 : 1;
}
