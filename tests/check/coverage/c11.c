// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The threads of C11.
#include <stdatomic.h>
#include <stddef.h>
#include <threads.h>
#include <time.h>

#include "coverage.h"

static atomic_int count;
static int mistaken;
static mtx_t lock;
static cnd_t changed;
static int ready;

static void add(void) {
  const int seen = atomic_load(&count);
  atomic_store(&count, seen + 1);
}
static struct timespec in_an_hour(void) {
  struct timespec time;
  timespec_get(&time, TIME_UTC);
  time.tv_sec += 3600;
  return time;
}

static int with_mutex(void* wrong) {
  const struct timespec time = in_an_hour();
  while (wrong == NULL && mtx_trylock(&lock) != thrd_success &&
         mtx_timedlock(&lock, &time) != thrd_success) {
  }
  add();
  if (wrong == NULL) mtx_unlock(&lock);
  return 3;
}
static void mutex(int wrong) {
  thrd_t other;
  int result = 0;
  mistaken = wrong;
  mtx_init(&lock, mtx_timed);
  assert(thrd_create(&other, with_mutex, NULL) == thrd_success);
  assert(!thrd_equal(other, thrd_current()));
  with_mutex(wrong ? &mistaken : NULL);
  assert(thrd_join(other, &result) == thrd_success && result == 3);
  assert(mtx_lock(&lock) == thrd_success && mtx_unlock(&lock) == thrd_success);
  assert(atomic_load(&count) == 2);
  mtx_destroy(&lock);
}

static int sets(void* argument) {
  mtx_lock(&lock);
  ready = 1;
  mtx_unlock(&lock);
  if (argument == NULL) {
    cnd_signal(&changed);
  } else {
    cnd_broadcast(&changed);
  }
  thrd_exit(4);
}
static void condition(int wrong) {
  thrd_t other;
  int result = 0;
  mtx_init(&lock, mtx_plain);
  cnd_init(&changed);
  thrd_create(&other, sets, wrong ? NULL : &ready);
  mtx_lock(&lock);
  while (!ready || wrong) {
    cnd_wait(&changed, &lock);
    if (wrong) break;
    const struct timespec time = in_an_hour();
    if (!ready) cnd_timedwait(&changed, &lock, &time);
  }
  mtx_unlock(&lock);
  thrd_join(other, &result);
  assert(result == 4);
  cnd_destroy(&changed);
}

static once_flag once = ONCE_FLAG_INIT;
static tss_t slot;
static void make(void) {
  thrd_yield();
  add();
}
static void at_end(void* value) {
  thrd_yield();
  atomic_fetch_add(&count, *(int*)value);
}
static int one = 1;
static int uses(void* argument) {
  call_once(&once, make);
  tss_set(slot, argument);
  assert(tss_get(slot) == argument);
  const struct timespec time = {3600, 0};
  thrd_sleep(&time, NULL);
  return 0;
}
// Wrong: the destructor of the thread's value has not run yet.
static void once_and_own(int wrong) {
  thrd_t other;
  tss_create(&slot, at_end);
  thrd_create(&other, uses, &one);
  call_once(&once, make);
  if (!wrong) thrd_join(other, NULL);
  assert(atomic_load(&count) == 2);
  if (wrong) thrd_join(other, NULL);
}

static int detached(void* argument) {
  (void)argument;
  if (!mistaken) add();
  atomic_store((atomic_int*)argument, 1);
  if (mistaken) add();
  return 0;
}
static void detach(int wrong) {
  static atomic_int ended;
  thrd_t other;
  mistaken = wrong;
  thrd_create(&other, detached, &ended);
  assert(thrd_detach(other) == thrd_success);
  while (atomic_load(&ended) == 0) thrd_yield();
  assert(atomic_load(&count) == 1);
}

static const struct Case cases[] = {
    {"mutex", "assertion failed", mutex},
    {"condition", "lost wake-up", condition},
    {"once_and_own", "assertion failed", once_and_own},
    {"detach", "assertion failed", detach},
};
RUN_CASES(cases)
