// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [hazard] protect -> unprotected: in one order, either the thread that protects sees that the
//            object is no longer there, or the one that wants to free it sees the protection.
//   [past] the end of a Hazard -> unprotected: what was read under it was read before it is freed.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>

#include "thrum/config.h"
#include "thrum/wait.h"

namespace thrum {

/// In place of a Hazard where nothing that was linked is ever freed.
struct NoHazard {
  template <class T>
  static T& protect(const std::atomic<T*>& link) noexcept {
    return *link.load(std::memory_order_seq_cst);  // [hazard]
  }
};

/// What the calling thread must not lose; see Hazard.
extern THRUM_API
    __attribute__((tls_model("initial-exec"))) constinit thread_local std::atomic<const void*>
        tls_hazard;
/// Whether [hazard] needs a fence in protect(), because the kernel offers none to the other side.
extern THRUM_API constinit std::atomic<bool> hazards_are_fenced;

/// Keeps an object that other threads may unlink from being freed while this thread looks at it:
/// a hazard pointer (M. M. Michael, 2004), one per thread. Where the kernel has membarrier(),
/// whoever frees pays for the order, and protecting costs two plain stores.
///
/// May be nested (an item's move constructor may use a queue): the inner one keeps everything.
class Hazard {
 public:
  Hazard() noexcept : outer_(own().load(std::memory_order_relaxed)) {}
  Hazard(const Hazard&) = delete;
  Hazard& operator=(const Hazard&) = delete;
  ~Hazard() { tls_hazard.store(outer_, std::memory_order_release); }  // [past]

  /// Returns the object that `link` points to, which is not freed until the next protect() or the
  /// end of this.
  template <class T>
  [[gnu::always_inline]] T& protect(const std::atomic<T*>& link) noexcept {
    T* object = link.load(std::memory_order_seq_cst);  // [hazard]
    for (;;) {
      const void* const kept = outer_ == nullptr ? object : kEverything;
      if (hazards_are_fenced.load(std::memory_order_relaxed)) [[unlikely]] {
        tls_hazard.exchange(kept, std::memory_order_seq_cst);  // [hazard]
      } else {
        tls_hazard.store(kept, std::memory_order_release);    // [past]
        std::atomic_signal_fence(std::memory_order_seq_cst);  // [hazard], with membarrier()
      }
      T* const now = link.load(std::memory_order_seq_cst);  // [hazard]
      if (now == object) return *object;
      object = now;
    }
  }

  /// Moves the objects that nobody protects to the front. They must have been unlinked before: then
  /// they stay unprotected.
  /// Returns  how many they are; 0 if that cannot be known now, as while another thread starts.
  /// Cost     a membarrier() and a look at each thread: some microseconds.
  THRUM_API static std::size_t unprotected(std::span<void*> objects) noexcept;

 private:
  // No object of anybody's, and the same in every shared library.
  static constexpr const void* kEverything = &hazards_are_fenced;

  static std::atomic<const void*>& own() noexcept {
    (void)self();  // listed, so that others look at it
    return tls_hazard;
  }

  const void* const outer_;
};

}  // namespace thrum
