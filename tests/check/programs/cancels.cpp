// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Cancellation, right: a thread that waits on a condition, one in a semaphore, one in a join, one
// that is never at a point of cancellation before it has done its work. With an argument: one that
// gets the notification and is cancelled as well must not lose it.
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cassert>

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
sem_t semaphore;
std::atomic<int> unwound{0};
std::atomic<bool> worked{false};
int tokens = 0;

struct Guard {
  ~Guard() { ++unwound; }
};

void unlock(void* lock) { pthread_mutex_unlock(static_cast<pthread_mutex_t*>(lock)); }

void* wait_on_condition(void*) {
  const Guard guard;
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlock, &mutex);
  while (tokens == 0) pthread_cond_wait(&condition, &mutex);
  --tokens;
  pthread_cleanup_pop(1);
  return nullptr;
}

void* wait_on_semaphore(void*) {
  const Guard guard;
  sem_wait(&semaphore);
  return nullptr;
}

void* join_it(void* handle) {
  const Guard guard;
  pthread_join(*static_cast<pthread_t*>(handle), nullptr);
  return nullptr;
}

void* work(void*) {
  const Guard guard;
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  assert(before == PTHREAD_CANCEL_ENABLE);
  sleep(1);
  worked = true;
  pthread_setcancelstate(before, nullptr);
  for (;;) pthread_testcancel();
}

void end(pthread_t thread) {
  void* result = nullptr;
  assert(pthread_cancel(thread) == 0);
  assert(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

int keeps_notification() {
  pthread_t threads[2];
  for (pthread_t& thread : threads) pthread_create(&thread, nullptr, wait_on_condition, nullptr);
  pthread_mutex_lock(&mutex);
  tokens = 1;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
  pthread_cancel(threads[0]);
  void* result = nullptr;
  pthread_join(threads[0], &result);
  if (result == nullptr) pthread_cancel(threads[1]);  // it has taken the token
  pthread_join(threads[1], nullptr);
  return unwound == 2 ? 0 : 1;
}

int main(int argc, char**) {
  if (argc > 1) return keeps_notification();
  sem_init(&semaphore, 0, 0);
  pthread_t threads[4];
  pthread_create(&threads[0], nullptr, wait_on_condition, nullptr);
  pthread_create(&threads[1], nullptr, wait_on_semaphore, nullptr);
  pthread_create(&threads[2], nullptr, work, nullptr);
  pthread_create(&threads[3], nullptr, join_it, &threads[1]);
  end(threads[3]);
  end(threads[0]);
  end(threads[1]);
  end(threads[2]);
  assert(worked && unwound == 4);
  pthread_mutex_lock(&mutex);  // nobody has ended with it
  pthread_mutex_unlock(&mutex);
}
