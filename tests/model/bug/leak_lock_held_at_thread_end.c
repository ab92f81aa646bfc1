// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Finds: leak
// Preemptions: 0
// Class: leaked lock
//
// A thread ends on its error path with the lock held.
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int state = 0;

static void *work(void *unused) {
  pthread_mutex_lock(&mutex);
  if (state == 0) {
    state = -1;
    return unused;
  }
  pthread_mutex_unlock(&mutex);
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, NULL) != 0) return 1;
  pthread_join(thread, NULL);
  return 0;
}
