// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the doors say. Inside a critical section nothing but stores: no clock, but for one
// acquisition in 64, whose time is taken.
#pragma once

#include <cerrno>

#include "interpose/real.h"
#include "watch/local.h"
#include "watch/process.h"

namespace thrum::watch {

using interpose::real;

/// Returns the calling thread's state, or null if what it does is not to be seen. Makes `real`
/// usable in any case.
inline Local* enter() noexcept {
  Local& me = local;
  if (me.slot != nullptr) [[likely]]
    return me.busy ? nullptr : &me;
  if (real.abort == nullptr) [[unlikely]]  // the last that is resolved
    begin_process();
  return attach();
}

/// Keeps errno as it is where it is constructed.
class KeepErrno {
 public:
  KeepErrno() noexcept : error_(errno) {}
  ~KeepErrno() { errno = error_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  const int error_;
};

// The rare parts, out of line.
void acquired_inside(Local& me, std::uint64_t object_kind, std::uint64_t site,
                     std::uint32_t held) noexcept;
void begin_count(Local& me, trace::Count& count, std::uint64_t object_kind,
                 std::uint64_t site) noexcept;
void begin_sample(Local& me, std::uint64_t object_kind, std::uint64_t site) noexcept;
void end_sample(Local& me) noexcept;
void released_inside(Local& me, std::uint64_t object, std::uint32_t held) noexcept;

// All relaxed: only this thread writes them, and the watcher reads them for what they are, a
// moment.

/// The calling thread holds the object now, without or after a wait.
inline void acquired(Local& me, Kind kind, const void* object, std::uint64_t site) noexcept {
  const std::uint64_t object_kind = trace::pack(number(object), kind);
  trace::Slot& slot = *me.slot;
  const std::uint32_t held = slot.held_n.get();
  if (held != 0) [[unlikely]]
    acquired_inside(me, object_kind, site, held);
  if (held < trace::kHeld) [[likely]] {
    slot.held[held].object_kind.set(object_kind);
    slot.held[held].site_stack.set(site);
  }
  slot.held_n.set(held + 1);

  trace::Count& count = slot.counts[trace::count_index(object_kind, site)];
  if (count.object_kind.get() == object_kind && count.site.get() == site) [[likely]] {
    const std::uint64_t n = count.n.get() + 1;
    count.n.set(n);
    if ((n & me.sample_mask) == 0) [[unlikely]]
      begin_sample(me, object_kind, site);
  } else {
    begin_count(me, count, object_kind, site);
  }
}

/// The calling thread is about to give up the object.
inline void releasing(Local& me, const void* object) noexcept {
  const std::uint64_t address = number(object) & trace::kAddressMask;
  trace::Slot& slot = *me.slot;
  const std::uint32_t held = slot.held_n.get();
  if (held - 1 < trace::kHeld &&
      (slot.held[held - 1].object_kind.get() & trace::kAddressMask) == address) [[likely]] {
    slot.held_n.set(held - 1);
  } else if (held != 0) {
    released_inside(me, address, held);
  }
  if (me.sampled_object == address) [[unlikely]]
    end_sample(me);
}

/// The calling thread is about to let go who waits for the object: `n` of them, 0 for unknown.
inline void lets_go(Local& me, Kind kind, const void* object, std::uint64_t site,
                    std::uint64_t n) noexcept {
  emit(me, trace::Type::release, trace::pack(number(object), kind), site, n);
}

/// The lock is no more; another may begin at its address.
void ended(Local& me, const void* object) noexcept;

/// A call that may block, from its construction to over().
class Wait {
 public:
  Wait(Local& me, Kind kind, const void* object, std::uint64_t site, std::uint64_t argument,
       std::uint8_t flags = 0) noexcept;
  /// Ends it; returns the result that it is given. errno stays as it is.
  template <class Result>
  Result over(Result result) noexcept {
    finish(static_cast<std::uint64_t>(static_cast<std::int64_t>(result)));
    return result;
  }

 private:
  void finish(std::uint64_t result) noexcept;

  Local& me_;
  const std::uint64_t object_kind_;
  std::uint64_t site_stack_;
};

}  // namespace thrum::watch
