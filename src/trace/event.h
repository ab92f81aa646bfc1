// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The events that an observed thread writes down: 32 bytes each, the same in shared memory and in a
// recording. docs/trace_format.md describes them for other readers; a change raises kFormatVersion.
#pragma once

#include <cstdint>

namespace thrum::trace {

inline constexpr std::uint32_t kFormatVersion = 3;

enum class Type : std::uint8_t {
  none,
  wait_begin,    ///< argument: the holder's thread id, or the word a futex is waited on with
  wait_end,      ///< argument: what the call returned; object and kind of the wait it ends
  acquire,       ///< the first time of this thread here; the others are in `counted`
  held,          ///< let go; argument: for how many ticks it was held, or kUntimed
  counted,       ///< argument: how often `site` acquired `object` since the last `counted` of both
  release,       ///< somebody waits for it; argument: how many are let go, 0 unknown
  order,         ///< acquired while others are held: the next `argument` events, newest first
  order_held,    ///< one of them, and where it was acquired
  stack,         ///< argument: bytes of it; id in `stack`; registers and bytes follow as raw events
  thread_new,    ///< argument: the new thread's serial; object: the function it starts with
  object_ended,  ///< a lock or queue was destroyed: the same address is another one from here on
  named,         ///< argument: the bytes of the object's name, which follow as raw events
  queue_new,     ///< argument: where its limit is; Counts follow, a raw event
};
inline constexpr std::uint8_t kLastType = static_cast<std::uint8_t>(Type::queue_new);

/// What is waited for, or acquired.
enum class Kind : std::uint8_t {
  none,
  mutex,
  read_lock,
  write_lock,
  condition,
  semaphore,
  barrier,
  once,
  join,
  futex,
  sleep,
  call,  ///< a system call, seen from outside; the object is its number and one, 0 for none
  // What only this project's library has: it says so itself (thrum/observe.h).
  lock,  ///< at its address are the holder's thread id, and a bit that somebody sleeps
  event,
  queue_get,
  queue_put,
  queue_join,
  group,
  timer,
};
inline constexpr std::uint8_t kLastKind = static_cast<std::uint8_t>(Kind::timer);

/// Bits beside the kind.
inline constexpr std::uint8_t kTimed = 1;  ///< the wait gives up by itself
/// An object of this project's library: of a lock the argument is the holder's thread id, else the
/// address of the word that is slept on, and woken.
inline constexpr std::uint8_t kOurs = 2;

/// Of an acquisition whose time was not taken: it is there for its place among the others, and has
/// the time of the event before it.
inline constexpr std::uint64_t kUntimed = ~std::uint64_t{0};

inline constexpr unsigned kAddressBits = 48;
inline constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kAddressBits) - 1;

struct Event {
  std::uint64_t when_type;    // ticks since the recording's origin << 8 | Type
  std::uint64_t object_kind;  // address | Kind << 48 | flags << 56
  std::uint64_t site_stack;   // return address | id of the stack it was called on << 48
  std::uint64_t argument;

  constexpr std::uint64_t when() const { return when_type >> 8; }
  constexpr Type type() const { return static_cast<Type>(when_type & 0xff); }
  constexpr std::uint64_t object() const { return object_kind & kAddressMask; }
  constexpr Kind kind() const { return static_cast<Kind>((object_kind >> kAddressBits) & 0xff); }
  constexpr std::uint8_t flags() const { return static_cast<std::uint8_t>(object_kind >> 56); }
  constexpr std::uint64_t site() const { return site_stack & kAddressMask; }
  constexpr std::uint16_t stack() const {
    return static_cast<std::uint16_t>(site_stack >> kAddressBits);
  }
};
static_assert(sizeof(Event) == 32);

constexpr std::uint64_t pack(std::uint64_t address, Kind kind, std::uint8_t flags = 0) {
  return (address & kAddressMask) | std::uint64_t{static_cast<std::uint8_t>(kind)} << kAddressBits |
         std::uint64_t{flags} << 56;
}
constexpr std::uint64_t pack(std::uint64_t site, std::uint16_t stack) {
  return (site & kAddressMask) | std::uint64_t{stack} << kAddressBits;
}

/// The registers at the head of a stack snapshot, two events long; then its bytes, from `sp` up.
struct Registers {
  std::uint64_t pc, sp, bp, bx, r12, r13, r14, r15;
};
static_assert(sizeof(Registers) == 2 * sizeof(Event));
inline constexpr std::uint32_t kMaxStackBytes = 4096;

/// A queue's puts and gets, as thrum_count_v1 says where they are: one raw event.
struct Counts {
  struct Where {
    std::uint64_t at;
    std::uint32_t position, numbers;
  } puts, gets;
};
static_assert(sizeof(Counts) == sizeof(Event));
inline constexpr std::uint32_t kMaxNameBytes = 96;

/// How a thread ended.
enum class End : std::uint8_t {
  alive,
  returned,
  exited,  ///< pthread_exit
  cancelled,
  aborted,    ///< abort(): `text` names the exception, if that was the cause
  signalled,  ///< by the fatal signal `end_detail`
  process,    ///< the process ended, with the thread in it
  exec,       ///< the process became another program
  unseen,     ///< seen from outside, which does not tell how
};
inline constexpr std::uint8_t kLastEnd = static_cast<std::uint8_t>(End::unseen);

}  // namespace thrum::trace
