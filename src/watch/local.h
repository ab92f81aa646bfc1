// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What runs inside an observed thread: it writes events to its own ring. It never blocks,
// allocates, throws, or changes errno; a full ring drops what comes and counts it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "trace/shared.h"
#include "trace/ticks.h"

namespace thrum::watch {

using trace::Kind;

// quick  | this thread                                        | changes with
// slot   | may take the short way: an acquisition is stores   | the beginning of one of the others
// null   | has no slot, writes an event, times an             | their end
//        | acquisition that it holds, or writes them all      |
struct Local {
  trace::Slot* slot;
  trace::Slot* quick;
  trace::Event* ring;
  std::uint64_t head;
  std::uint64_t limit;  // up to here there is room
  bool busy;            // inside here: a signal handler that comes in drops its events
  bool ended;           // its end is written: nothing may follow
  bool started_here;    // its first function is ours: how it ends is known

  bool record_all;                    // every acquisition is an event
  std::uint32_t passed_over;          // of these, so many more are dropped: the ring is full
  std::uint64_t stamp;                // of the last event: the clock as it was read last
  std::uint32_t timed;                // acquisitions that are held and whose time is taken
  std::uint64_t since[trace::kHeld];  // beside Slot::held: when it was acquired; 0 if not timed

  std::uint64_t stack_top, stack_low;  // 0 when not known
  static constexpr std::uint32_t kCache = 64;
  static constexpr std::uint32_t kOrders = 4;
  // Lock orders that were written; in a row the newest first.
  std::uint64_t orders[kCache][kOrders];
  static constexpr std::uint32_t kStacks = 4;
  // Call sites and stack pointers whose stack was written; in a row the newest first.
  std::uint64_t stacks[kCache][kStacks];
  std::uint16_t stack_ids[kCache][kStacks];
  std::uint16_t last_stack;

  std::uint32_t orders_missed, counts_missed;  // that found no place in their tables
  std::uint64_t random;                        // for who is taken of those that follow

  bool wait_is_written;                // the wait that it is in: its end will be, too
  std::uint64_t said_wait, said_site;  // what the library said that it waits for; 0 for nothing
  static constexpr std::uint32_t kNames = 16;
  std::uint64_t names[kNames];  // objects and names that were written

  void find_way() noexcept { quick = busy || record_all || timed != 0 ? nullptr : slot; }
};

extern __attribute__((tls_model("initial-exec"))) constinit thread_local Local local;

/// The memory shared with the watcher; null while this process is not observed.
extern constinit trace::Shared* shared;

/// Returns the calling thread's state with a slot, or null if it has none and gets none.
Local* attach() noexcept;
/// The calling thread is, from now on, the one that `slot` was reserved for.
Local* attach(trace::Slot& slot) noexcept;
inline Local* self() noexcept {
  Local& me = local;
  return me.slot != nullptr ? &me : attach();
}

/// Returns a slot for a thread of this process, kNew; null if there is none left.
trace::Slot* claim_slot() noexcept;
/// The calling thread ends here. Writes it to its slot, once.
void end_thread(trace::End how, std::uint64_t detail) noexcept;
/// This process came out of a fork: it begins anew, with one thread.
void begin_in_child() noexcept;
/// Returns whether a fork happened that nobody told begin_in_child().
bool is_unknown_child() noexcept;

/// Returns whether what can be left out is to be left out. relaxed: a little late does no harm.
inline bool is_resting() noexcept {
  return shared->header.resting.load(std::memory_order_relaxed) != 0;
}

inline std::uint64_t now() noexcept { return trace::ticks(shared->header.clock); }

/// Makes room for `n` events. Returns false, after counting them as lost, if there is none.
bool make_room(Local& me, std::uint64_t n) noexcept;

/// Writes one event; the caller is not interrupted by itself (me.busy).
inline void put(Local& me, const trace::Event& event) noexcept {
  me.ring[me.head % trace::kRingEvents] = event;
  ++me.head;
}
/// Has the memory of the events that come next ready when they do: the watcher's processor had it,
/// and a system call waits until this one has it.
inline void expect_more(Local& me) noexcept {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" : : "m"(me.ring[(me.head + 2) % trace::kRingEvents]));
#else
  (void)me;
#endif
}
inline void publish(Local& me) noexcept {
  me.slot->head.store(me.head, std::memory_order_release);  // [events]
}

/// Keeps signal handlers out while it lives, if none of this thread's calls is inside already.
class Busy {
 public:
  explicit Busy(Local& me) noexcept : me_(me), mine_(!me.busy) {
    me.busy = true;
    me.quick = nullptr;
  }
  ~Busy() {
    if (!mine_) return;
    me_.busy = false;
    me_.find_way();
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  explicit operator bool() const noexcept { return mine_; }

 private:
  Local& me_;
  const bool mine_;
};

constexpr std::uint64_t when_type(std::uint64_t when, trace::Type type) noexcept {
  return when << 8 | static_cast<std::uint8_t>(type);
}

/// Writes an event that happened at `when`.
inline void emit(Local& me, trace::Type type, std::uint64_t object_kind, std::uint64_t site_stack,
                 std::uint64_t argument, std::uint64_t when) noexcept {
  const Busy busy(me);
  if (!busy || (me.head + 1 > me.limit && !make_room(me, 1))) [[unlikely]]
    return;
  me.stamp = when;
  put(me, {when_type(when - shared->header.origin, type), object_kind, site_stack, argument});
  publish(me);
  expect_more(me);
}
inline void emit(Local& me, trace::Type type, std::uint64_t object_kind, std::uint64_t site_stack,
                 std::uint64_t argument) noexcept {
  emit(me, type, object_kind, site_stack, argument, now());
}

/// Returns the id of the stack that `site` was called on, after writing a snapshot of it if this
/// thread did not before; 0 if it cannot. `object_kind`: what is waited for there, 0 for nothing.
std::uint16_t stack_of(Local& me, std::uint64_t site, std::uint64_t object_kind = 0) noexcept;

/// Tells the watcher which files are mapped.
void write_modules() noexcept;

inline std::uint64_t number(const void* pointer) noexcept {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace thrum::watch

/// The call site of the door that this is used in.
#define THRUM_SITE() (::thrum::watch::number(__builtin_return_address(0)))
