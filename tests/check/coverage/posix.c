// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The pthread and sem interfaces as C calls them.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "coverage.h"

static atomic_int count;
static int mistaken;

static void add(void) {
  const int seen = atomic_load(&count);
  atomic_store(&count, seen + 1);
}
static struct timespec in_an_hour(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  time.tv_sec += 3600;
  return time;
}

// Runs `work` in two threads: in a new one, and in this one with `mistaken` as its argument.
static void two(void* (*work)(void*)) {
  pthread_t other;
  assert(pthread_create(&other, NULL, work, NULL) == 0);
  work(mistaken ? &mistaken : NULL);
  assert(pthread_join(other, NULL) == 0);
  assert(atomic_load(&count) == 2);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void* with_mutex(void* wrong) {
  if (wrong == NULL) pthread_mutex_lock(&lock);
  add();
  if (wrong == NULL) pthread_mutex_unlock(&lock);
  return NULL;
}
static void mutex(int wrong) {
  mistaken = wrong;
  two(with_mutex);
}
static void* with_timed_mutex(void* wrong) {
  const struct timespec wall = in_an_hour(CLOCK_REALTIME);
  const struct timespec steady = in_an_hour(CLOCK_MONOTONIC);
  while (wrong == NULL && pthread_mutex_trylock(&lock) != 0 &&
         pthread_mutex_timedlock(&lock, &wall) != 0 &&
         pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &steady) != 0) {
  }
  add();
  if (wrong == NULL) pthread_mutex_unlock(&lock);
  return NULL;
}
static void mutex_timed(int wrong) {
  mistaken = wrong;
  two(with_timed_mutex);
}
static void* with_levels(void* wrong) {
  if (wrong == NULL) {
    pthread_mutex_lock(&lock);
    assert(pthread_mutex_lock(&lock) == 0 && pthread_mutex_trylock(&lock) == 0);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&lock);
  }
  add();
  if (wrong == NULL) pthread_mutex_unlock(&lock);
  return NULL;
}
static void mutex_recursive(int wrong) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&lock, &attributes);
  mistaken = wrong;
  two(with_levels);
  assert(pthread_mutex_unlock(&lock) == EPERM);
  assert(pthread_mutex_destroy(&lock) == 0);
}
static void* with_errors(void* wrong) {
  if (wrong != NULL) {
    assert(pthread_mutex_unlock(&lock) == EPERM);
  } else {
    pthread_mutex_lock(&lock);
    assert(pthread_mutex_lock(&lock) == EDEADLK && pthread_mutex_trylock(&lock) == EBUSY);
  }
  add();
  if (wrong == NULL) assert(pthread_mutex_unlock(&lock) == 0);
  return NULL;
}
static void mutex_errorcheck(int wrong) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&lock, &attributes);
  mistaken = wrong;
  two(with_errors);
}

static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
// Wrong: both are readers.
static void* with_rwlock(void* argument) {
  (void)argument;
  const struct timespec wall = in_an_hour(CLOCK_REALTIME);
  const struct timespec steady = in_an_hour(CLOCK_MONOTONIC);
  if (mistaken) {
    while (pthread_rwlock_tryrdlock(&shared) != 0 &&
           pthread_rwlock_timedrdlock(&shared, &wall) != 0 &&
           pthread_rwlock_clockrdlock(&shared, CLOCK_MONOTONIC, &steady) != 0) {
    }
  } else {
    while (pthread_rwlock_trywrlock(&shared) != 0 &&
           pthread_rwlock_timedwrlock(&shared, &wall) != 0 &&
           pthread_rwlock_clockwrlock(&shared, CLOCK_MONOTONIC, &steady) != 0) {
    }
  }
  add();
  assert(pthread_rwlock_unlock(&shared) == 0);
  pthread_rwlock_rdlock(&shared);
  assert(atomic_load(&count) > 0);
  pthread_rwlock_unlock(&shared);
  return NULL;
}
static void rwlock(int wrong) {
  mistaken = wrong;
  two(with_rwlock);
  assert(pthread_rwlock_wrlock(&shared) == 0 && pthread_rwlock_unlock(&shared) == 0);
}

static pthread_spinlock_t spinning;
static void* with_spin(void* wrong) {
  if (wrong == NULL && pthread_spin_trylock(&spinning) != 0) pthread_spin_lock(&spinning);
  add();
  if (wrong == NULL) pthread_spin_unlock(&spinning);
  return NULL;
}
static void spin(int wrong) {
  pthread_spin_init(&spinning, PTHREAD_PROCESS_PRIVATE);
  mistaken = wrong;
  two(with_spin);
  pthread_spin_destroy(&spinning);
}

static pthread_barrier_t all;
static atomic_int serial;
static void* with_barrier(void* argument) {
  (void)argument;
  atomic_fetch_add(&count, 1);
  if (mistaken) assert(atomic_load(&count) == 2);
  if (pthread_barrier_wait(&all) == PTHREAD_BARRIER_SERIAL_THREAD) atomic_fetch_add(&serial, 1);
  assert(atomic_load(&count) == 2);
  pthread_barrier_wait(&all);
  return NULL;
}
static void barrier(int wrong) {
  pthread_barrier_init(&all, NULL, 2);
  mistaken = wrong;
  two(with_barrier);
  assert(atomic_load(&serial) == 1);
  pthread_barrier_destroy(&all);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int made;
static void make(void) {
  atomic_fetch_add(&count, 2);
  sched_yield();
  atomic_store(&made, 1);
}
static void* with_once(void* argument) {
  (void)argument;
  if (!mistaken) {
    assert(pthread_once(&once, make) == 0 && atomic_load(&made) == 1);
  } else if (atomic_load(&made) == 0) {
    make();
  }
  return NULL;
}
static void call_once(int wrong) {
  mistaken = wrong;
  two(with_once);
}

static pthread_key_t key;
static void at_end(void* value) {
  sched_yield();
  atomic_fetch_add(&count, *(int*)value);
}
static int one = 1, another = 1;
static atomic_int is_set;
static void* with_key(void* value) {
  pthread_setspecific(key, value);
  sched_yield();
  assert(pthread_getspecific(key) == value);
  atomic_store(&is_set, 1);
  return value;
}
// Wrong: counts on destructors of a thread that has not ended.
static void keys(int wrong) {
  pthread_t threads[2];
  pthread_key_create(&key, at_end);
  pthread_create(&threads[0], NULL, with_key, &one);
  pthread_create(&threads[1], NULL, with_key, &another);
  void* value = NULL;
  assert(pthread_getspecific(key) == NULL);
  pthread_join(threads[1], &value);
  assert(value == &another);
  if (!wrong) pthread_join(threads[0], NULL);
  while (atomic_load(&is_set) == 0) sched_yield();
  assert(atomic_load(&count) == 2);
  if (wrong) pthread_join(threads[0], NULL);
  pthread_key_delete(key);
}

static void release(void* argument) {
  atomic_fetch_add(&count, 1);
  pthread_mutex_unlock(argument);
}
static void leave(void) { pthread_exit(&one); }
static void* leaves(void* argument) {
  pthread_mutex_lock(&lock);
  pthread_cleanup_push(release, &lock);
  if (argument == NULL) leave();
  pthread_cleanup_pop(0);
  return NULL;  // wrong: with the lock
}
static void cleanup(int wrong) {
  pthread_t other;
  void* value = NULL;
  pthread_create(&other, NULL, leaves, wrong ? &one : NULL);
  if (!wrong) {
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
  }
  pthread_join(other, &value);
  assert(wrong || (value == &one && atomic_load(&count) == 1));
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready;
static void* sets(void* argument) {
  pthread_mutex_lock(&lock);
  ready = 1;
  pthread_mutex_unlock(&lock);
  if (argument == NULL) {
    pthread_cond_signal(&changed);
  } else {
    pthread_cond_broadcast(&changed);
  }
  return NULL;
}
// Wrong: waits for what may have been.
static void condition(int wrong) {
  pthread_t other;
  pthread_create(&other, NULL, sets, NULL);
  pthread_mutex_lock(&lock);
  while (!ready || wrong) {
    pthread_cond_wait(&changed, &lock);
    if (wrong) break;
  }
  pthread_mutex_unlock(&lock);
  pthread_join(other, NULL);
}
// Wrong: takes the time for the event.
static void condition_timed(int wrong) {
  pthread_t other;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&changed, &attributes);
  pthread_create(&other, NULL, sets, &one);
  pthread_mutex_lock(&lock);
  while (!ready) {
    const struct timespec wall = in_an_hour(CLOCK_REALTIME);
    const struct timespec steady = in_an_hour(CLOCK_MONOTONIC);
    const int first = pthread_cond_timedwait(&changed, &lock, &steady);
    assert(first == 0 || first == ETIMEDOUT);
    if (wrong) assert(first == 0);
    if (!ready) pthread_cond_clockwait(&changed, &lock, CLOCK_REALTIME, &wall);
  }
  pthread_mutex_unlock(&lock);
  pthread_join(other, NULL);
  pthread_cond_destroy(&changed);
}

static sem_t permits;
static void* posts(void* argument) {
  (void)argument;
  if (!mistaken) add();
  sem_post(&permits);
  if (mistaken) add();
  return NULL;
}
static void semaphore(int wrong) {
  pthread_t other;
  int value = -1;
  sem_init(&permits, 0, 0);
  mistaken = wrong;
  pthread_create(&other, NULL, posts, NULL);
  const struct timespec wall = in_an_hour(CLOCK_REALTIME);
  const struct timespec steady = in_an_hour(CLOCK_MONOTONIC);
  while (sem_trywait(&permits) != 0 && sem_timedwait(&permits, &wall) != 0 &&
         sem_clockwait(&permits, CLOCK_MONOTONIC, &steady) != 0) {
    assert(errno == EAGAIN || errno == ETIMEDOUT);
  }
  assert(atomic_load(&count) == 1);
  pthread_join(other, NULL);
  sem_post(&permits);
  sem_wait(&permits);
  assert(sem_getvalue(&permits, &value) == 0 && value == 0);
  sem_destroy(&permits);
}

// Wrong: it has ended, and has not yet.
static void try_join(int wrong) {
  pthread_t other;
  pthread_create(&other, NULL, with_mutex, NULL);
  int result = pthread_tryjoin_np(other, NULL);
  const struct timespec wall = in_an_hour(CLOCK_REALTIME);
  if (wrong) {
    assert(result == 0);
  } else {
    while (result != 0) result = pthread_timedjoin_np(other, NULL, &wall);
  }
  assert(atomic_load(&count) == 1);
}
// main leaves, and the process ends with its last thread.
static void* last(void* argument) {
  if (argument != NULL) assert(atomic_load(&count) == 1);
  return NULL;
}
static void main_leaves(int wrong) {
  pthread_t other;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_create(&other, &attributes, last, wrong ? &one : NULL);
  atomic_store(&count, 1);
  pthread_exit(NULL);
}

// What one execution has mapped, the next finds as fresh as the first did.
static void* maps(void* argument) {
  int* const memory =
      mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert(memory != MAP_FAILED && memory[0] == 0 && memory[2000] == 0);
  memory[0] = memory[2000] = 1;
  assert(munmap((char*)memory + 4096, 4096) == 0);
  *(int**)argument = memory;
  atomic_fetch_add(&count, memory[0]);
  return NULL;
}
static void mapping(int wrong) {
  pthread_t other;
  int* seen = NULL;
  int* mine = NULL;
  pthread_create(&other, NULL, maps, &seen);
  maps(&mine);
  if (!wrong) pthread_join(other, NULL);
  assert(atomic_load(&count) == 2);
  if (wrong) pthread_join(other, NULL);
  assert(seen != mine);
}

static const struct Case cases[] = {
    {"mutex", "assertion failed", mutex},
    {"mutex_timed", "assertion failed", mutex_timed},
    {"mutex_recursive", "assertion failed", mutex_recursive},
    {"mutex_errorcheck", "assertion failed", mutex_errorcheck},
    {"rwlock", "assertion failed", rwlock},
    {"spin", "assertion failed", spin},
    {"barrier", "assertion failed", barrier},
    {"once", "assertion failed", call_once},
    {"keys", "assertion failed", keys},
    {"cleanup", "leak", cleanup},
    {"condition", "lost wake-up", condition},
    {"condition_timed", "assertion failed", condition_timed},
    {"semaphore", "assertion failed", semaphore},
    {"try_join", "assertion failed", try_join},
    {"mapping", "assertion failed", mapping},
    {"main_leaves", "assertion failed", main_leaves},
};
RUN_CASES(cases)
