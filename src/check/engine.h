// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The engine: one thread of the program runs at a time, and before each operation that others can
// notice it publishes what it will do next, a *pending operation*. Then the strategy chooses among
// the threads whose pending operation is possible (its lock is free, its thread has ended, ...),
// and the chosen one performs it. So an operation and what follows it up to the next point is one
// step, and every execution is a sequence of steps that can be repeated.
//
// The threads are fibers (fiber.h): exactly one kernel thread runs the program, and so nothing here
// is atomic or locked.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "check/protocol.h"
#include "check/raw.h"

namespace thrum::check {

using Pc = std::uint64_t;
#define THRUM_CALLER() reinterpret_cast<::thrum::check::Pc>(__builtin_return_address(0))

inline constexpr std::uint32_t kMaxHeld = 24;
inline constexpr std::int64_t kNever = INT64_MAX;

/// Operations as a set.
template <class... Ops>
constexpr std::uint64_t set_of(Ops... ops) noexcept {
  static_assert(kOps <= 64);
  return (std::uint64_t{0} | ... | (std::uint64_t{1} << static_cast<std::uint32_t>(ops)));
}
constexpr bool is_in(std::uint64_t set, Op op) noexcept {
  return (set >> static_cast<std::uint32_t>(op) & 1) != 0;
}

/// A read that is repeated without anything done in between: a spin loop.
struct Spin {
  Pc pc;
  const void* address;
  std::uint64_t value;
  std::uint32_t times;
};

struct Held {
  const void* object;
  Pc pc;
};

struct Thread {
  std::uint8_t id;
  // The pending operation.
  Op op;
  const void* object;
  const void* with;  // the lock of a condition's waiter
  Pc pc;
  std::int64_t deadline;  // kNever, or the virtual time at which it gives up
  std::uint32_t bits;     // of a futex wait
  Thread* target;         // of a join
  const void* words;      // of a wait on several: futex_waitv's vector
  std::uint32_t word_count;
  std::int32_t woken_word;
  // It is possible if and only if this is 0; null: is_possible() has to find out (objects.h).
  const std::int32_t* gate;
  // What became of it.
  bool signalled;
  bool timed_out;  // and has a deadline, then
  // Its cancellation: asked for; put off; is it in a wait that ends by it; has it ended one.
  bool cancel_asked, cancel_disabled, cancel_at_once;
  bool cancellable, cancelled;
  // A signal came while it slept, or found no permit: its handler ends the call. One has.
  bool is_caught, interrupted;
  // Its life.
  std::int32_t runs;  // 1; 0 once it has finished
  bool finished;
  bool detached;
  bool joined;
  // How it behaves.
  bool yielded;              // lets others go first, for one step
  bool spinning;             // only looks at memory that does not change
  bool early;                // could go on only because its time may be up (early_timeouts)
  std::uint32_t idle_steps;  // so many in a row that it yielded or spun
  std::uint32_t steps;
  std::uint32_t choices;
  std::uint64_t last_run;
  std::uint64_t priority;
  std::uint32_t spins;
  std::uint32_t held_count;
  // Its fiber.
  pthread_t handle;
  void* stack_pointer;
  std::uint64_t thread_pointer;
  void* (*function)(void*);
  void* argument;
  void* result;
  std::uint64_t signal_mask;
  std::uint64_t awaited;  // of signal_wait: which
  std::uint32_t cleanups;
  // Lists, of which the counts say how much is used. All before them is zero when a thread begins.
  Spin spin[8];
  Held held[kMaxHeld];
  void* cleanup[16];  // __pthread_register_cancel
  void* end_jump[5];
};

/// All that changes in the course of an execution and is not the program's own.
struct Execution {
  Thread* current;
  std::uint32_t threads;
  std::uint32_t living;
  std::uint32_t alive;  // not finished: so many of Engine::alive
  std::int64_t now_ns;
  std::uint64_t random;
  std::uint64_t hash;
  std::uint64_t
      shape;  // who did what with which object: a hash that code elsewhere does not change
  std::uint32_t objects;
  std::uint32_t fruitless;                     // rounds in which all threads only spun
  std::size_t mapped;                          // how much of the memory for mappings is used
  std::uint32_t atomic_depth;                  // inside atomic_block
  std::uint32_t sampled_salt, sampled_of_256;  // which plain points count in this execution
  // What is freed is kept for a while, so that who still uses it is found; or it is used again at
  // once, as it would be, so that who takes the new for the old is found.
  bool reuses;
  std::uint32_t kept, first_kept;
  std::uint32_t signals;  // so many are on their way (signals.h)
  std::uint64_t kept_bytes;
  bool ending;
  bool any_spun;    // a thread was found to spin
  Thread* yielder;  // who yielded just before the last decision
};

struct Engine {
  Shared* shared;
  bool on;       // the program is under control
  bool started;  // a second thread has been created: steps are logged
  bool points;   // there may be some among plain accesses, or stacks of theirs are wanted
  bool unused;
  bool fast;  // restored in place after each execution
  Execution run;
  Thread thread[kThreads];
  Thread* alive[kThreads];  // by ascending number
};
extern constinit Engine engine;

/// Are plain accesses judged, and nothing else done with them? One look at three of the above.
inline bool only_judges() noexcept {
  constexpr std::uint32_t kOnAndStarted = 0x0101;
  static_assert(offsetof(Engine, started) == offsetof(Engine, on) + 1 &&
                offsetof(Engine, points) == offsetof(Engine, on) + 2);
  std::uint32_t word = 0;
  __builtin_memcpy(&word, reinterpret_cast<const char*>(&engine) + offsetof(Engine, on),
                   sizeof word);
  return word == kOnAndStarted;
}

inline bool controlled() noexcept { return engine.on; }
inline Thread& self() noexcept { return *engine.run.current; }

/// Publishes the operation and returns when it may be performed, by this thread alone. Returns
/// false if the time was up instead (`deadline` passed while nothing else could run), or if a
/// handler ended the wait: then the thread is `interrupted`.
bool point(Op op, const void* object, Pc pc, std::int64_t deadline = kNever,
           const void* with = nullptr) noexcept;
/// The same for a thread that another has to wake.
bool block(Op op, const void* object, Pc pc, std::int64_t deadline = kNever,
           const void* with = nullptr) noexcept;
/// Runs whoever comes next; called by a thread that has ended.
[[noreturn]] void leave() noexcept;

/// Returns one of 0 to n-1: a decision of the schedule.
std::uint32_t decide(std::uint32_t n, Pc pc) noexcept;
inline constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;
inline std::uint64_t mix(std::uint64_t z) noexcept {  // the finaliser of splitmix64
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}
inline std::uint64_t random_number() noexcept {
  engine.run.random += kGolden;
  return mix(engine.run.random);
}

/// The value that the step under way has read or written, for the report.
void note_value(std::uint64_t value) noexcept;
void note_flag(EventFlag flag) noexcept;
/// A thread did something that others can notice: it does not spin.
inline void progress() noexcept {
  self().spins = 0;
  self().idle_steps = 0;
  self().spinning = false;
}
/// A read of this value: a thread that does nothing else spins, after so many times.
void looked_at(const void* address, std::uint64_t value, Pc pc, std::uint32_t patience) noexcept;
/// Somebody wrote to the address: who spins on it has something new to see.
void wake_spinners(const void* address) noexcept;
inline void changed(const void* address) noexcept {
  engine.run.fruitless = 0;
  if (engine.run.any_spun) wake_spinners(address);
}

inline void hold(const void* object, Pc pc) noexcept {
  Thread& me = self();
  if (me.held_count < kMaxHeld) me.held[me.held_count] = {object, pc};
  ++me.held_count;
}
void let_go_at_length(const void* object) noexcept;
inline void let_go(const void* object) noexcept {
  Thread& me = self();
  const std::uint32_t n = me.held_count;
  if (n != 0 && n <= kMaxHeld && me.held[n - 1].object == object) {
    me.held_count = n - 1;
  } else {
    let_go_at_length(object);
  }
}
/// Returns the thread that holds the object; null: none.
Thread* holder_of(const void* object) noexcept;

/// Ends this execution with a result; does not return to the program.
[[noreturn]] void finish(Outcome outcome, const char* message, int status = 0, Pc pc = 0) noexcept;
/// The program ends by itself, with this exit status.
[[noreturn]] void end_execution(int status) noexcept;

/// Prepares thread 0 and what an execution starts from.
void begin_process() noexcept;
/// Begins the execution with this number: seeds the strategy.
void begin_execution(std::uint64_t number) noexcept;
/// Adds an execution to the counts and estimates.
void account() noexcept;

/// Is a plain access at this place a scheduling point in this execution?
void begin_plain_points() noexcept;
bool is_plain_point(Pc pc) noexcept;
/// From the next execution on it may be one.
void promote(Pc pc) noexcept;

}  // namespace thrum::check
