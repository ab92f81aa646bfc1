// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The corrected twin of tests/model/bug/missed_signal_before_wait.c: a flag remembers it.
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int raised = 0;

static void *wait_for_signal(void *unused) {
  pthread_mutex_lock(&mutex);
  while (raised == 0) pthread_cond_wait(&condition, &mutex);
  raised = 2;
  pthread_mutex_unlock(&mutex);
  return unused;
}

int main(void) {
  pthread_t waiter;
  if (pthread_create(&waiter, NULL, wait_for_signal, NULL) != 0) return 1;
  pthread_mutex_lock(&mutex);
  raised = 1;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
  pthread_join(waiter, NULL);
  return raised == 2 ? 0 : 1;
}
