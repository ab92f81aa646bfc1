// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: lost wake-up
// Preemptions: 0
// Class: missed signal
//
// A signal is not remembered: if it comes before the wait, nothing ends the wait.
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int raised = 0;

static void *wait_for_signal(void *unused) {
  pthread_mutex_lock(&mutex);
  pthread_cond_wait(&condition, &mutex);
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
