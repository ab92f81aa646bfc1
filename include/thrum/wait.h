// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The waist: the only way a thread of this library blocks, and the only way it is made runnable
// again. Everything above is a state machine over 32-bit words.
//
// Include this to build a primitive of your own; to use ours, include threading.h. The laws that
// callers rely on are in docs/waist.md, each is a test.
#pragma once

#include <atomic>
#include <cstdint>

#include "thrum/config.h"
#include "thrum/deadline.h"

namespace thrum {

/// What threads wait on. The kernel compares it, so it is 32 bits wide everywhere.
using Word = std::atomic<std::uint32_t>;

/// Why wait() returned.
enum class Wake : std::uint8_t {
  woken,    ///< wake() was called, or the kernel returned early: look at the word again
  changed,  ///< the word did not hold the expected value; the thread never slept
  timeout,  ///< the deadline passed first
  stopped,  ///< the deadline's stop token was triggered first
};

/// What a blocked thread waits for, in the words of dump() and Thread::state().
enum class Waitable : std::uint8_t {
  nothing,
  word,
  lock,
  rlock,
  semaphore,
  event,
  condition,
  barrier,
  queue_get,
  queue_put,
  queue_join,
  thread,
  group,
  timer,
};

/// Names the object a thread is about to block on. Lives on the stack of the slow path, so that
/// several waits on the way to one goal count as one.
struct WaitingFor {
  Waitable kind = Waitable::nothing;
  const void* object = nullptr;
  const char* name = nullptr;  ///< the object's, if it has one
  std::int64_t since_ns = 0;   ///< steady time of the first sleep; 0 before it; set by wait()
};

/// Blocks while `word == expected`.
///
/// Returns  why. A wake aimed at this thread is `woken` even if time or stop coincide with it;
///          `woken` may also be spurious.
/// Order    none: the comparison is relaxed; callers load with acquire afterwards.
/// Cost     none when the word differs or the deadline is `nonblocking`; else one system call,
///          a clock read and two stores. Never throws, never allocates.
THRUM_API Wake wait(const Word& word, std::uint32_t expected, const Deadline& deadline,
                    WaitingFor& what) noexcept;

/// The same for a word that belongs to no named object.
inline Wake wait(const Word& word, std::uint32_t expected, const Deadline& deadline) noexcept {
  WaitingFor what{Waitable::word, &word};
  return wait(word, expected, deadline, what);
}

inline constexpr int kEveryone = 0x7fffffff;

/// Makes up to `count` threads blocked on `word` runnable, the longest waiting first.
///
/// Only the address is used: the object may already be destroyed, by the thread it freed. A wake
/// without a sleeper is not remembered. Callers store with release first.
/// Returns  the number of threads woken.
/// Signals  safe in a signal handler.
THRUM_API int wake(const Word* word, int count) noexcept;

/// Moves up to `count` threads from `from` to `to` without waking them: the next wake of `to` is
/// theirs. May wake them instead (the portable waist does), so they look at both words.
/// Returns  the number of threads moved or woken.
THRUM_API int requeue(const Word* from, const Word* to, int count) noexcept;

/// Who a thread is to the primitives.
struct Self {
  /// The kernel's id (gettid). In the low 30 bits of a lock's word, as in a PI futex.
  std::uint32_t native_id;
  /// Unique in this process for all time: never reused, kept by the child of a fork.
  std::uint64_t ident;
};

/// Use self(). Initial-exec, so that an acquire reads it with one instruction in shared builds too.
extern THRUM_API __attribute__((tls_model("initial-exec"))) constinit thread_local Self tls_self;

/// Fills tls_self and lists this thread for dump(); once a thread.
THRUM_API void enroll() noexcept;

/// Returns the calling thread's ids.
/// Cost     one load and a predicted branch; a system call the first time in a thread.
inline const Self& self() noexcept {
  if (tls_self.native_id == 0) [[unlikely]]
    enroll();
  return tls_self;
}

}  // namespace thrum
