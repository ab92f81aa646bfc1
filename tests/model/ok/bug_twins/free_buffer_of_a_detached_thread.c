// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/free_buffer_of_a_detached_thread.c: it is waited for.
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
  pthread_join(thread, NULL);
  free(buffer);
  return atomic_load(&stopped) == 1 ? 0 : 1;
}
