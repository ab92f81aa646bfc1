// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the doors say. Inside a critical section nothing but stores: no clock, but at the beginning
// of one acquisition in 64, whose time is taken. Where each is an event, of one in 16,
// and of the first 64 of a lock and place.
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

/// An acquisition that was given up; `since` is 0 if its time was not taken.
struct Hold {
  std::uint64_t object_kind, site, since;
};

// The rare parts, out of line.
void acquired_inside(Local& me, std::uint64_t object_kind, std::uint64_t site,
                     bool only_tried) noexcept;
void count_elsewhere(Local& me, trace::Count& count, std::uint64_t object_kind,
                     std::uint64_t site) noexcept;
/// Takes the time of the newest acquisition, from now on.
void time_newest(Local& me) noexcept;

// All relaxed: only this thread writes them, and the watcher reads them for what they are, a
// moment.

/// The calling thread holds the object now, without or after a wait; `only_tried`: it would not
/// have waited, so that nobody can be locked up by the order.
inline void acquired(Local& me, Kind kind, const void* object, std::uint64_t site,
                     bool only_tried = false) noexcept {
  constexpr std::uint64_t kSampled = 64, kOften = 16, kFirst = 64;
  const std::uint64_t object_kind = trace::pack(number(object), kind);
  trace::Slot& slot = *me.slot;
  if (slot.held_n.get() != 0) [[unlikely]] {
    acquired_inside(me, object_kind, site, only_tried);
  } else {
    slot.held[0].object_kind.set(object_kind);
    slot.held[0].site_stack.set(site);
    slot.held_n.set(1);
  }
  trace::Count& count = slot.counts[trace::count_index(object_kind, site)];
  if (count.object_kind.get() != object_kind || count.site.get() != site) [[unlikely]] {
    return count_elsewhere(me, count, object_kind, site);
  }
  const std::uint64_t n = count.n.get() + 1;
  count.n.set(n);
  if (n % kSampled == 0 ||
      (me.quick == nullptr && me.record_all && (n <= kFirst || n % kOften == 0))) [[unlikely]] {
    time_newest(me);
  }
}

/// The calling thread gives up the object. Returns what is to be said of it, by held().
Hold releasing(Local& me, const void* object) noexcept;
/// Writes how long it was held, when it is free again; where each acquisition is an event, that it
/// was, if its time was not taken.
void held(Local& me, const Hold& hold) noexcept;

/// The calling thread is about to let go who waits for the object: `n` of them, 0 for unknown.
inline void lets_go(Local& me, Kind kind, const void* object, std::uint64_t site,
                    std::uint64_t n) noexcept {
  if (is_resting()) return;
  emit(me, trace::Type::release, trace::pack(number(object), kind), site, n);
}

/// The lock is no more; another may begin at its address.
void ended(Local& me, const void* object) noexcept;

/// A wait begins: returns its call site with the id of its stack, which are for end_wait().
std::uint64_t begin_wait(Local& me, std::uint64_t object_kind, std::uint64_t site,
                         std::uint64_t argument) noexcept;
void end_wait(Local& me, std::uint64_t object_kind, std::uint64_t site_stack,
              std::uint64_t result) noexcept;

/// A call that may block, from its construction to over().
class Wait {
 public:
  Wait(Local& me, Kind kind, const void* object, std::uint64_t site, std::uint64_t argument,
       std::uint8_t flags = 0) noexcept
      : me_(me),
        object_kind_(trace::pack(number(object), kind, flags)),
        site_stack_(begin_wait(me, object_kind_, site, argument)) {}
  /// Ends it; returns the result that it is given. errno stays as it is.
  template <class Result>
  Result over(Result result) noexcept {
    end_wait(me_, object_kind_, site_stack_,
             static_cast<std::uint64_t>(static_cast<std::int64_t>(result)));
    return result;
  }

 private:
  Local& me_;
  const std::uint64_t object_kind_;
  const std::uint64_t site_stack_;
};

}  // namespace thrum::watch
