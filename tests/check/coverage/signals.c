// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Signals that the program sends to itself: threads that wait for them, and handlers.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "coverage.h"

static atomic_int count;
static atomic_int ready;
static int mistaken;

static sigset_t set_of(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}
static void block(int signal) {
  const sigset_t set = set_of(signal);
  assert(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}
static pthread_t started(void* (*function)(void*), void* argument) {
  pthread_t thread;
  assert(pthread_create(&thread, NULL, function, argument) == 0);
  return thread;
}

// The thread of signals that many programs have. A signal that was sent once is taken once, whether
// it comes before the wait or after. Wrong: two of one number may be one by then.
static void* takes_two(void* argument) {
  const sigset_t set = set_of(SIGUSR1);
  int signal = 0;
  for (int i = 0; i < 2; ++i) {
    assert(sigwait(&set, &signal) == 0 && signal == SIGUSR1);
    if (argument == NULL) atomic_fetch_add(&count, 1);
    if (argument == NULL && i == 0) atomic_store(&ready, 1);
  }
  return NULL;
}
static void wait_for_one(int wrong) {
  block(SIGUSR1);
  const pthread_t other = started(takes_two, NULL);
  assert(pthread_kill(other, SIGUSR1) == 0);
  while (!wrong && atomic_load(&ready) == 0) {
  }
  assert(pthread_kill(other, SIGUSR1) == 0);
  assert(pthread_join(other, NULL) == 0);
  assert(atomic_load(&count) == 2);
}

// What is sent to the process, whoever waits takes. Wrong: main does not block it, and may be the
// one that it comes to.
static void* takes_one(void* unused) {
  (void)unused;
  const sigset_t set = set_of(SIGUSR2);
  siginfo_t info;
  block(SIGUSR2);
  atomic_store(&ready, 1);
  assert(sigwaitinfo(&set, &info) == SIGUSR2);
  assert(info.si_signo == SIGUSR2 && info.si_code == SI_USER && info.si_pid == getpid());
  return NULL;
}
static void to_process(int wrong) {
  if (!wrong) block(SIGUSR2);
  const pthread_t other = started(takes_one, NULL);
  while (atomic_load(&ready) == 0) {
  }
  assert(kill(getpid(), SIGUSR2) == 0);
  assert(pthread_join(other, NULL) == 0);
}

// Those of real time queue, lowest first, each with its value. Wrong: they are sent too late.
static void* sends_values(void* unused) {
  (void)unused;
  const union sigval one = {.sival_int = 1}, two = {.sival_int = 2};
  assert(sigqueue(getpid(), SIGRTMIN + 1, two) == 0);
  assert(sigqueue(getpid(), SIGRTMIN, one) == 0);
  assert(sigqueue(getpid(), SIGRTMIN, two) == 0);
  return NULL;
}
static void queued(int wrong) {
  sigset_t set = set_of(SIGRTMIN), pending;
  siginfo_t info;
  block(SIGRTMIN);
  block(SIGRTMIN + 1);
  sigaddset(&set, SIGRTMIN + 1);
  const pthread_t other = started(sends_values, NULL);
  if (!wrong) assert(pthread_join(other, NULL) == 0);
  for (int i = 0; i < 3; ++i) {
    assert(sigwaitinfo(&set, &info) == (i == 2 ? SIGRTMIN + 1 : SIGRTMIN));
    assert(info.si_code == SI_QUEUE && info.si_value.sival_int == (i == 0 ? 1 : 2));
  }
  sigpending(&pending);
  assert(!sigismember(&pending, SIGRTMIN));
  if (wrong) assert(pthread_join(other, NULL) == 0);
}

// Wrong: what comes late is taken for what does not come.
static void* sends_late(void* to) {
  assert(pthread_kill(*(pthread_t*)to, SIGUSR1) == 0);
  return NULL;
}
static void timed(int wrong) {
  const sigset_t set = set_of(SIGUSR1);
  const struct timespec time = {.tv_sec = 1}, none = {.tv_sec = 0};
  pthread_t me = pthread_self();
  block(SIGUSR1);
  assert(sigtimedwait(&set, NULL, &none) == -1 && errno == EAGAIN);
  const pthread_t other = started(sends_late, &me);
  if (!wrong) assert(pthread_join(other, NULL) == 0);
  assert(sigtimedwait(&set, NULL, &time) == SIGUSR1);
  if (wrong) assert(pthread_join(other, NULL) == 0);
}

// What is sent is ordered before what the taker does.
static int data;
static void* uses_data(void* unused) {
  (void)unused;
  const sigset_t set = set_of(SIGUSR1);
  int signal = 0;
  if (!mistaken) assert(sigwait(&set, &signal) == 0);
  assert(mistaken || data == 1);
  data = 2;
  return NULL;
}
static void orders(int wrong) {
  mistaken = wrong;
  block(SIGUSR1);
  const pthread_t other = started(uses_data, NULL);
  data = 1;
  assert(pthread_kill(other, SIGUSR1) == 0);
  assert(pthread_join(other, NULL) == 0);
}

// A handler runs at once in the thread that raises, elsewhere where that thread comes to it: while
// it waits for another as well. Wrong: between a load and a store.
static void adds(int signal) {
  assert(signal == SIGUSR1);
  atomic_fetch_add(&count, 1);
}
static void* adds_too(void* argument) {
  if (argument != NULL) {
    const int seen = atomic_load(&count);
    atomic_store(&count, seen + 1);
  } else {
    const int seen = atomic_fetch_add(&count, 1);
    assert(raise(SIGUSR1) == 0);
    assert(atomic_load(&count) >= seen + 2);
    atomic_fetch_sub(&count, 1);
  }
  return NULL;
}
static void handler(int wrong) {
  const struct sigaction action = {.sa_handler = adds};
  assert(sigaction(SIGUSR1, &action, NULL) == 0);
  const pthread_t other = started(adds_too, wrong ? &mistaken : NULL);
  assert(pthread_kill(other, SIGUSR1) == 0);
  assert(pthread_join(other, NULL) == 0);
  // Who has ended before it came has not handled it.
  assert(atomic_load(&count) == 2 || (!wrong && atomic_load(&count) == 1));
}

// Who waits for a thread, a lock or a semaphore runs its handlers meanwhile. Wrong: it blocks the
// signal.
static pthread_t waiter;
static void tells(int signal) {
  assert(signal == SIGUSR1);
  atomic_store(&ready, 1);
}
static void* awaits_handler(void* unused) {
  (void)unused;
  assert(pthread_kill(waiter, SIGUSR1) == 0);
  while (atomic_load(&ready) == 0) sched_yield();
  return NULL;
}
static void while_joining(int wrong) {
  const struct sigaction action = {.sa_handler = tells};
  assert(sigaction(SIGUSR1, &action, NULL) == 0);
  if (wrong) block(SIGUSR1);
  waiter = pthread_self();
  assert(pthread_join(started(awaits_handler, NULL), NULL) == 0);
}

// Wrong: it comes between the look and the pause.
static void wakes(int signal, siginfo_t* info, void* context) {
  assert(signal == SIGUSR1 && info->si_code == SI_TKILL && context != NULL);
  atomic_store(&ready, 1);
}
static void suspends(int wrong) {
  const struct sigaction action = {.sa_sigaction = wakes, .sa_flags = SA_SIGINFO};
  const sigset_t set = set_of(SIGUSR1);
  sigset_t before;
  pthread_t me = pthread_self();
  assert(sigaction(SIGUSR1, &action, NULL) == 0);
  if (!wrong) assert(pthread_sigmask(SIG_BLOCK, &set, &before) == 0);
  const pthread_t other = started(sends_late, &me);
  while (atomic_load(&ready) == 0) {
    assert((wrong ? pause() : sigsuspend(&before)) == -1 && errno == EINTR);
  }
  assert(pthread_join(other, NULL) == 0);
}

// A handler ends a wait for a permit, unless it asks to restart it. Wrong: nobody asks again.
static sem_t permits;
static void* sends_then_posts(void* to) {
  assert(pthread_kill(*(pthread_t*)to, SIGUSR1) == 0);
  assert(sem_post(&permits) == 0);
  return NULL;
}
static void interrupts(int wrong, int flags) {
  const struct sigaction action = {.sa_handler = adds, .sa_flags = flags};
  const struct timespec late = {.tv_sec = 4000000000};
  pthread_t me = pthread_self();
  int met = 0;
  assert(sigaction(SIGUSR1, &action, NULL) == 0 && sem_init(&permits, 0, 0) == 0);
  const pthread_t other = started(sends_then_posts, &me);
  while (sem_wait(&permits) != 0) {
    assert(errno == EINTR && atomic_load(&count) == 1 && ++met == 1);
    assert(flags == 0 && !wrong);
  }
  assert(pthread_join(other, NULL) == 0 && atomic_load(&count) == 1);
  if (wrong) return;
  atomic_store(&count, 0);
  const pthread_t another = started(sends_then_posts, &me);
  if (sem_timedwait(&permits, &late) != 0) {
    assert(errno == ETIMEDOUT || errno == EINTR);  // restarted by nobody
    while (sem_wait(&permits) != 0) assert(errno == EINTR && flags == 0);
  }
  assert(pthread_join(another, NULL) == 0 && sem_destroy(&permits) == 0);
}
static void ends_wait(int wrong) { interrupts(wrong, 0); }
// Wrong: how it is for all that does not ask.
static void restarts_wait(int wrong) { interrupts(wrong, wrong ? 0 : SA_RESTART); }

// It ends a sleep even then; what is left of it is told. Wrong: not looked at.
static void ends_sleep(int wrong) {
  const struct sigaction action = {.sa_handler = adds, .sa_flags = SA_RESTART};
  const struct timespec whole = {.tv_sec = 10};
  struct timespec left = whole, before, after;
  pthread_t me = pthread_self();
  assert(sigaction(SIGUSR1, &action, NULL) == 0);
  const pthread_t other = started(sends_late, &me);
  assert(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
  while (nanosleep(&left, &left) != 0) {
    assert(errno == EINTR && atomic_load(&count) == 1);
    assert(left.tv_sec <= 9 && left.tv_sec >= 8);
    if (wrong) break;
  }
  assert(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
  assert(after.tv_sec - before.tv_sec >= 10);
  assert(pthread_join(other, NULL) == 0);
  const pthread_t another = started(sends_late, &me);
  assert(sleep(10) <= 9 && (usleep(1) == 0 || errno == EINTR));
  assert(pthread_join(another, NULL) == 0);
}

// Handlers are put back with all else.
static void* raises(void* unused) {
  (void)unused;
  assert(raise(SIGUSR1) == 0);
  return NULL;
}
static void dispositions(int wrong) {
  struct sigaction old;
  assert(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
  const pthread_t ends_early = started(adds_too, &mistaken);
  assert(pthread_join(ends_early, NULL) == 0);
  assert(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
  assert(signal(SIGUSR1, SIG_IGN) == SIG_DFL);
  const pthread_t other = started(raises, NULL);
  if (wrong) assert(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
  assert(pthread_join(other, NULL) == 0);
  if (!wrong) assert(signal(SIGUSR1, adds) == SIG_IGN);
}

static const struct Case cases[] = {
    {"signal_twice", "lost wake-up or deadlock", wait_for_one},
    {"signal_to_process", "crash", to_process},
    {"signal_queued", "assertion failed", queued},
    {"signal_timed", "assertion failed", timed},
    {"signal_orders", "data race", orders},
    {"signal_handler", "assertion failed", handler},
    {"signal_while_joining", "livelock", while_joining},
    {"signal_suspend", "lost wake-up or deadlock", suspends},
    {"signal_ends_wait", "assertion failed", ends_wait},
    {"signal_restarts_wait", "assertion failed", restarts_wait},
    {"signal_ends_sleep", "assertion failed", ends_sleep},
    {"signal_dispositions", "crash", dispositions},
};
RUN_CASES(cases)
