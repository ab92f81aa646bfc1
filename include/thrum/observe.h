// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The side channel: what the library says to an observer in the same process (`thrum watch`), and
// what a futex word cannot tell: "this is the queue jobs", "it holds 17 items". C, and only words.
//
// An observer is one function, thrum_observe_v1(), in a library that is loaded before the program's
// (LD_PRELOAD). The dynamic linker finds it once, at start; where there is none, the library reads
// a null pointer where a thread goes to sleep, and where a queue begins and ends: nowhere else. An
// observer can only observe: it gets nothing that it could change.
//
// Version 1. A later library may append fields to the structures, which `size` tells, and kinds and
// sayings to the lists; an observer passes over what it does not know. What has another meaning
// gets another function.
#pragma once

#include <stdint.h>  // NOLINT(modernize-deprecated-headers): C

#ifdef __cplusplus
extern "C" {
#endif

enum thrum_saying_v1 {
  THRUM_WAIT_BEGINS_V1 = 1,   // this thread is about to sleep: kind, timed, object, word, name
  THRUM_WAIT_ENDS_V1 = 2,     // it does not sleep any more
  THRUM_QUEUE_BEGINS_V1 = 3,  // object, name; where its numbers are
  THRUM_QUEUE_ENDS_V1 = 4,    // object
  THRUM_NAMED_V1 = 5,         // object, name
};

// What a thread waits for. Of a lock the word has the holder's kernel thread id in its low 30 bits.
enum thrum_kind_v1 {
  THRUM_WORD_V1 = 1,
  THRUM_LOCK_V1 = 2,
  THRUM_RLOCK_V1 = 3,
  THRUM_SEMAPHORE_V1 = 4,
  THRUM_EVENT_V1 = 5,
  THRUM_CONDITION_V1 = 6,
  THRUM_BARRIER_V1 = 7,
  THRUM_QUEUE_GET_V1 = 8,
  THRUM_QUEUE_PUT_V1 = 9,
  THRUM_QUEUE_JOIN_V1 = 10,
  THRUM_THREAD_V1 = 11,
  THRUM_GROUP_V1 = 12,
  THRUM_TIMER_V1 = 13,
};

// Where a count is that only grows, for who reads the memory of the process from outside. Either
// `at` is the count itself, 64 bits, and `position` and `numbers` are 0. Or `at` is a pointer to a
// block, in which, so many bytes from its start, are the position p (64 bits) and four numbers:
// capacity, closed, lap, base (64 bits each). Without the bit `closed` of p, the count is
// base + p / lap * capacity + p % closed.
struct thrum_count_v1 {
  const void* at;
  uint32_t position;
  uint32_t numbers;
};

struct thrum_observation_v1 {
  uint32_t size;    // of this structure
  uint32_t saying;  // thrum_saying_v1
  uint32_t kind;    // thrum_kind_v1; 0 where it says nothing
  uint32_t timed;   // 1: the wait gives up by itself
  const void* object;
  const void* word;  // that is slept on
  const char* name;  // null: it has none. Readable during the call
  struct thrum_count_v1 puts, gets;
  const void* limit;  // the most items a queue may hold, 64 bits; 0 there: as many as there are
};

// Called by the thread that it is about. It must not call the library, nor block.
void thrum_observe_v1(const struct thrum_observation_v1* said) __attribute__((weak));

#ifdef __cplusplus
}
#endif
