// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the library knows of a thread, and the list of those that were started and have not ended.
//
// The list and everything marked (registry) is guarded by waist::Registry, which also keeps a
// listed thread from ending: its pthread_t and its node can be used under it.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "thrum/thread.h"
#include "waist/self.h"

namespace thrum {

struct GroupRecord;
struct TimerRecord;

struct ThreadRecord : std::enable_shared_from_this<ThreadRecord> {
  enum class Origin : std::uint8_t { ours, main, foreign };

  explicit ThreadRecord(Origin where_from) : origin(where_from) {}
  ~ThreadRecord();

  /// Returns the calling thread's record, made now if it has none.
  static ThreadRecord& current();
  static std::shared_ptr<ThreadRecord> of_main();
  static std::vector<std::shared_ptr<ThreadRecord>> all();
  /// (registry)
  static ThreadRecord* first() noexcept;

  static ThreadHandle handle(std::shared_ptr<ThreadRecord> record) {
    return ThreadHandle(std::move(record));
  }
  /// Takes the duty to join from a Thread's destructor.
  static ThreadHandle release(Thread&& thread) { return ThreadHandle(std::move(thread.record_)); }
  static ThreadRecord& of(const ThreadHandle& handle) { return handle.record(); }
  /// Returns the group whose member the caller is, or null; makes no record.
  static const GroupRecord* group_of_caller() noexcept;
  static bool caller_is_daemon();

  void start();
  /// Has the system make the thread, with the caller's signal mask or this.
  /// Returns 0, and the record is the thread's own from now on; or the system's error.
  int create(const sigset_t* mask = nullptr);
  /// Has it looked after at a fork and at the process's end; before it is started.
  static void arm();
  /// There is no thread and it is in no list: goes to `phase`, and frees who waits.
  void never_ran(std::uint32_t phase) noexcept;
  /// It ended by an exception: says so to its group, or to the excepthook.
  void fail(std::exception_ptr error);
  /// Returns false if it gave up, or if the process is over and the thread sleeps for good.
  bool join(const Deadline& deadline);
  void run();
  bool claim_reaping() noexcept;
  bool request_stop();
  /// Enters the list, or leaves it. (registry)
  void link() noexcept;
  void unlink() noexcept;
  /// Stores a value in `state` or `native_id`. Returns whether somebody may sleep on the old one.
  static bool replace(Word& word, std::uint32_t value) noexcept;
  /// The calling thread, main, runs exit handlers from now on: for others it has ended.
  static void end_main() noexcept;
  /// Looks whether the main thread has a node by now. (registry)
  void find_node(const waist::Registry& registry) noexcept;
  /// Returns whether it was started in this process, not in one that this was forked from.
  bool is_of_this_process() const noexcept;

  /// Returns the state without kAwaited. Order   what the thread did, if it has ended.
  std::uint32_t phase() const noexcept {
    return state.load(std::memory_order_acquire) & ~kAwaited;  // [end]
  }
  bool is_alive() const noexcept { return is_alive(phase()); }
  /// (registry)
  std::string name() const { return number == 0 ? given_name : "Thread-" + std::to_string(number); }
  static constexpr bool is_alive(std::uint32_t phase) noexcept {
    return phase == kPending || phase == kStarted;
  }
  /// Returns whether the caller is the thread, or plays its part (a timer that never runs).
  bool is_caller() const noexcept {
    const std::uint64_t me = self().ident;
    return ident.load(std::memory_order_relaxed) == me ||  // only we store our own
           played_by.load(std::memory_order_relaxed) == me;
  }

  // state       | the thread                            | leaves the state by
  // kNew        | does not exist                        | start()
  // kPending    | a timer's: does not exist yet         | its time, or cancel()
  // kStarted    | exists, or is about to                | its end; or back to kNew: start() failed
  // kTerminated | runs no user code any more            | a join(), which reaps it
  // kReaped     | is gone, or never was ours to reap    | -
  static constexpr std::uint32_t kNew = 0, kPending = 1, kStarted = 2, kTerminated = 3, kReaped = 4;
  // Added to a value, here and in native_id: somebody may sleep until it changes.
  static constexpr std::uint32_t kAwaited = 1u << 31;
  Word state{kNew};

  Word native_id{0};  // 0 not known yet
  std::atomic<std::uint64_t> ident{0};
  std::atomic<std::uint64_t> played_by{0};

  const Origin origin;
  std::atomic<bool> daemon{false};
  bool hidden = false;           // the library's own: enumerate() does not list it
  bool runs_user_code = false;   // (registry) although it is hidden
  TimerRecord* timer = nullptr;  // itself, if it is one
  std::size_t stack_size = 0;
  std::vector<int> affinity;
  std::shared_ptr<GroupRecord> group;
  std::unique_ptr<Thread::Body> body;  // what it runs; gone afterwards
  std::stop_source stop;

  // Written by the thread before it is terminated, read by others after.
  std::exception_ptr exception;
  End end = End::alive;

  std::string given_name;                    // (registry)
  unsigned number = 0;                       // (registry) 0 if somebody named it
  waist::Node* node = nullptr;               // (registry) null until it runs
  std::atomic<pthread_t> pthread{};          // 0 not known yet; written when it is started
  std::atomic<bool> reaper{false};           // somebody reaps it, or will when it ends
  bool has_pthread = false;                  // (registry) it may be used
  unsigned born_after_forks = 0;             // (registry) written at the start, and by a fork
  std::shared_ptr<ThreadRecord> keep_alive;  // (registry) while the thread lives
  ThreadRecord* next = nullptr;              // (registry)
  ThreadRecord* previous = nullptr;          // (registry)
};

/// Reports an exception that left a thread, by the user's hook.
void report(const ThreadHandle& thread, std::exception_ptr exception) noexcept;

/// A thread that is a member was started.
void add_member(GroupRecord& group, const ThreadHandle& member);
/// A group heard that a member failed. Returns whether it keeps the exception for its join().
bool keep_failure(GroupRecord& group, const ThreadHandle& member,
                  std::exception_ptr exception) noexcept;

/// Has the threads that are alive at the end of the process looked after (exit.cpp): to be called
/// before the first thread starts, and at the start of each.
void arm_process_end();
void arm_process_end_in_thread() noexcept;
/// Returns whether all that can be waited for has ended: who is left sleeps for good.
bool process_is_over() noexcept;
/// The thread is about to end by itself: what its thread_locals' destructors see is no process end.
void disarm_process_end_in_thread() noexcept;

}  // namespace thrum
