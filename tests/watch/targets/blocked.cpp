// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// blocked: a thread for each way to wait, named after it, for ever; one that runs.
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace {

int ends[2];
sem_t permits;
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t inheriting;
pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
pthread_barrier_t gate;
std::atomic<long> turns{0};

using Function = void* (*)(void*);

void* mutex(void*) {
  pthread_mutex_lock(&lock);
  return nullptr;
}
void* inherit(void*) {
  pthread_mutex_lock(&inheriting);
  return nullptr;
}
void* reader(void*) {
  pthread_rwlock_rdlock(&table);
  return nullptr;
}
void* writer(void*) {
  pthread_rwlock_wrlock(&table);
  return nullptr;
}
void* semaphore(void*) {
  sem_wait(&permits);
  return nullptr;
}
void* condition(void*) {
  pthread_mutex_lock(&outer);
  pthread_cond_wait(&changed, &outer);
  return nullptr;
}
void* barrier(void*) {
  pthread_barrier_wait(&gate);
  return nullptr;
}
void* sleeper(void*) {
  sleep(1000);
  return nullptr;
}
void* input(void*) {
  char c = 0;
  return read(ends[0], &c, 1) == 1 ? &ends : nullptr;
}
void* spinner(void*) {
  for (;;) turns.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

int main() {
  pthread_mutexattr_t inherits;
  pthread_mutexattr_init(&inherits);
  pthread_mutexattr_setprotocol(&inherits, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&inheriting, &inherits);
  sem_init(&permits, 0, 0);
  pthread_barrier_init(&gate, nullptr, 2);
  if (pipe(ends) != 0) return 1;
  pthread_mutex_lock(&lock);
  pthread_mutex_lock(&inheriting);
  pthread_rwlock_wrlock(&table);
  const struct {
    const char* name;
    Function function;
  } ways[] = {{"mutex", mutex},     {"inherit", inherit},     {"reader", reader},
              {"writer", writer},   {"semaphore", semaphore}, {"condition", condition},
              {"barrier", barrier}, {"sleeper", sleeper},     {"input", input},
              {"spinner", spinner}};
  pthread_t last{};
  for (const auto& way : ways) {
    pthread_create(&last, nullptr, way.function, nullptr);
    pthread_setname_np(last, way.name);
  }
  std::puts("started");
  std::fflush(stdout);
  pthread_join(last, nullptr);
}
