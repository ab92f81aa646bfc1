// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Tests order threads by asking the kernel who sleeps on what, never by sleeping themselves.
#pragma once

#include <sys/types.h>
#include <thrum/condition.h>
#include <thrum/wait.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace thrum::test {

/// Returns whether a thread sleeps in the kernel on a futex within [begin, begin + size).
bool is_blocked(pid_t tid, const void* begin, std::size_t size);
/// Returns whether a thread sleeps in the kernel on any futex.
bool is_blocked(pid_t tid);
/// Blocks until a thread sleeps on `address`.
void wait_until_blocked(pid_t tid, const void* address);

/// Returns whether a waiting thread sleeps on the word's own address: not on the portable waist.
bool words_are_futexes();

/// Lets others run. Never orders anything by itself: call it in a loop that asks.
void let_others_run();

/// Blocks until `condition()` is true.
template <class Condition>
void until(Condition condition) {
  while (!condition()) let_others_run();
}

/// A thread that a test can watch falling asleep. Joined at the end of its scope.
class Actor {
 public:
  explicit Actor(std::function<void()> body);
  Actor(Actor&&) noexcept;
  Actor& operator=(Actor&&) = delete;
  ~Actor();

  /// Blocks until the thread sleeps on a word inside `object`, or inside a waiter of it if it is a
  /// Condition. Fails the test if the thread ends instead.
  template <class T>
  const Actor& until_blocked_on(const T& object) const {
    return until_blocked_within(&object, sizeof(object));
  }
  const Actor& until_blocked_on(const Condition& condition) const;
  /// The same for a thread that may also end, because its time is up: returns whether it sleeps.
  template <class T>
  bool blocks_on_or_ends(const T& object) const {
    return until_blocked_or_ended(&object, sizeof(object));
  }

  void join();
  /// Returns whether the body has returned.
  bool finished() const noexcept;
  /// Returns the kernel's id, for signals.
  pid_t tid() const noexcept;
  /// Interrupts the thread with a signal whose handler does nothing.
  void interrupt() const;
  /// Returns the futex it sleeps on (the last of several); null if it does not, or if that cannot
  /// be known.
  const Word* sleeps_on() const;

 private:
  struct State;
  const Actor& until_blocked_within(const void* begin, std::size_t size) const;
  bool until_blocked_or_ended(const void* begin, std::size_t size) const;
  bool says_it_waits_within(const void* begin, std::size_t size) const;

  std::unique_ptr<State> state_;
};

/// Keeps the calling thread, and the threads that it starts, on one processor.
class OneProcessor {
 public:
  OneProcessor();
  ~OneProcessor();
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes the calling thread wait its turn when it is woken, instead of taking the processor: on
/// OneProcessor, what another thread does to it in a row happens to it at once.
void become_polite();
/// Makes the calling thread give the processor to whomever it wakes: on OneProcessor, that thread
/// runs before the caller's next instruction.
void become_humble();

/// Ends a loop that provokes a race after so many rounds, or after a fifth of a second: on a loaded
/// machine a round may take a thousand times longer. The stress tests have more time.
class Rounds {
 public:
  explicit Rounds(int at_most) : left_(at_most) {}
  /// Returns whether there is another round to run.
  bool next() { return left_-- > 0 && std::chrono::steady_clock::now() < end_; }

 private:
  int left_;
  const std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
};

}  // namespace thrum::test
