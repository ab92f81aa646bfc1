// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The end of the process (docs/decisions/0006-process-end.md).
//
// From main: threads that are not daemons are asked to stop and joined, before the first static is
// destroyed. Then, and from any other thread, whoever still lives must not run into destroyed
// statics: a thread asleep in one of our waits never comes back from it. If some thread is not,
// because it computes or sleeps elsewhere, no static is destroyed at all: stdout and stderr are
// flushed and the process ends.
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "threading/thread_record.h"

namespace thrum {
namespace {

std::shared_ptr<ThreadRecord> next_to_join() {
  const waist::Registry registry;
  for (ThreadRecord* record = ThreadRecord::first(); record != nullptr; record = record->next) {
    if (record->origin == ThreadRecord::Origin::ours &&
        !record->daemon.load(std::memory_order_relaxed) && !record->is_caller()) {
      return record->shared_from_this();
    }
  }
  return nullptr;
}

// Returns whether a thread runs none of the user's code any more. With the registry held.
bool is_parked(const ThreadRecord& record) {
  if (record.hidden) return !record.runs_user_code;
  if (record.node == nullptr) return record.phase() == ThreadRecord::kPending;
  return waist::is_parked(*record.node);
}

bool everyone_parked() {
  const waist::Registry registry;
  for (ThreadRecord* record = ThreadRecord::first(); record != nullptr; record = record->next) {
    if (record->origin != ThreadRecord::Origin::foreign && !record->is_caller() &&
        !is_parked(*record)) {
      return false;
    }
  }
  return true;
}

void flush(std::FILE* file) {
  // A thread that never comes back may hold the file.
  if (::ftrylockfile(file) != 0) return;
  ::fflush_unlocked(file);
  ::funlockfile(file);
}

constinit std::atomic<bool> over{false};

void process_ends(int status, void*) {
  static constinit std::atomic<bool> began{false};
  if (began.exchange(true, std::memory_order_relaxed)) return;  // called by the one that exits only
  if (self().native_id == static_cast<std::uint32_t>(::getpid())) {
    ThreadRecord::end_main();  // who joins it must not wait for us while we wait for them
    for (const auto& record : ThreadRecord::all()) {
      const bool waited_for = record->origin == ThreadRecord::Origin::ours &&
                              !record->daemon.load(std::memory_order_relaxed);
      if (waited_for) record->request_stop();
    }
    while (const auto record = next_to_join()) {
      record->request_stop();  // it may have been started since
      try {
        (void)record->join(forever);
      } catch (const UsageError&) {
        // The system refused it after all.
      }
    }
  }
  waist::begin_process_end();
  for (int patience = 10; !everyone_parked(); --patience) {
    if (patience == 0) {
      flush(stdout);
      flush(stderr);
      ::_exit(status);
    }
    ::sched_yield();  // one may be on its way into a wait
  }
  over.store(true, std::memory_order_relaxed);  // for this thread, the only one left
}

// exit() destroys the thread_locals of the thread that calls it before anything else: the chance to
// put our handler before those of all statics.
struct AtThreadEnd {
  bool armed = false;
  ~AtThreadEnd() {
    if (armed) ::on_exit(process_ends, nullptr);
  }
};
thread_local AtThreadEnd at_thread_end;

}  // namespace

bool process_is_over() noexcept { return over.load(std::memory_order_relaxed); }

void arm_process_end() {
  static constinit pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, [] { ::on_exit(process_ends, nullptr); });
  if (!at_thread_end.armed && self().native_id == static_cast<std::uint32_t>(::getpid())) {
    at_thread_end.armed = true;
  }
}
void arm_process_end_in_thread() noexcept { at_thread_end.armed = true; }
void disarm_process_end_in_thread() noexcept { at_thread_end.armed = false; }

}  // namespace thrum
