// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/leak_thread_never_joined.c: it is joined.
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
  pthread_join(thread, NULL);
  return atomic_load(&done) ? 0 : 1;
}
