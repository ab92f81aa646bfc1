// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The threads of this process as the waist knows them: one node for each thread that ever needed
// an id, in its own thread-local memory, listed from then until the thread ends. Nothing here
// allocates, so a thread that is not ours costs nothing but its node.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "thrum/wait.h"

namespace thrum::waist {

/// How a thread left the list. Told without the registry's lock to `ended`, with it to `forked`.
enum class Gone : std::uint8_t {
  ended,   ///< its thread_locals are destroyed, it runs no user code any more
  forked,  ///< this is the child of a fork: the thread exists only in the parent
};

struct Node {
  std::uint32_t native_id = 0;  // read by others under the registry's lock
  std::uint64_t ident = 0;
  const std::atomic<const void*>* hazard = nullptr;  // written before it is listed

  // What the thread sleeps on. A seqlock: odd while it is written.
  Word version{0};
  std::atomic<Waitable> kind{Waitable::nothing};
  std::atomic<const void*> object{nullptr};
  std::atomic<const char*> name{nullptr};
  std::atomic<std::int64_t> since_ns{0};

  // The threading layer's record of the thread, told when the thread is gone. Written under the
  // registry's lock, by any thread; the node's own thread reads `owner` without it.
  std::atomic<void*> owner{nullptr};
  void (*on_gone)(void* owner, Gone how) = nullptr;

  Node* next = nullptr;
  Node* previous = nullptr;
  std::uint8_t destructor_rounds = 0;
};

/// Returns an ident that no thread has or had.
std::uint64_t new_ident() noexcept;
/// The calling thread, not listed yet, will be listed under an ident chosen before it ran.
void choose_ident(std::uint64_t ident) noexcept;
/// Returns the calling thread's node, listed.
Node& this_node() noexcept;

/// Says what the calling thread is about to sleep on; starts its clock if this is the first sleep.
void publish(Node& me, WaitingFor& what) noexcept;
/// Takes it back. Does not return if the process is ending.
void retract(Node& me) noexcept;
/// Returns what a thread sleeps on, `nothing` if it does not; stale as soon as it is returned.
WaitingFor blocked_on(const Node& node) noexcept;

/// Holds the list still: no thread enters, leaves, or ends while it lives. The caller is listed.
class Registry {
 public:
  Registry() noexcept;
  /// Gives up at `deadline`, for who must look even if the list is broken (a debugger).
  explicit Registry(const Deadline& deadline) noexcept;
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  bool held() const noexcept { return held_; }
  Node* first() const noexcept;

 private:
  bool held_;
};

/// Blocks in pthread_join, as visibly as in wait().
/// Returns whether the thread is gone: not if it joins the caller itself.
bool reap(pthread_t thread, WaitingFor& what) noexcept;

/// From now on a thread that sleeps in wait(), and is not the caller, never returns from it: it
/// must not run into what the end of the process destroys.
void begin_process_end() noexcept;

/// Does not return if the process is ending and the caller is not the thread that ends it.
void park_if_ending(Node& me) noexcept;
/// Returns whether, begin_process_end() called, that thread sleeps for good.
bool is_parked(const Node& node) noexcept;

}  // namespace thrum::waist
