// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The memory that the observed processes and their watcher share. The watcher makes it, seals its
// size, and believes nothing that it reads there.
//
// Edges
//   [events] a ring's writer -> its reader: the events below `head`.
//   [room] a ring's reader -> its writer: what is below `tail` was read, and may be overwritten.
//   [life] who changes `life` -> who reads it: what the thread or process said before.
//   [modules] a process -> the watcher: the modules below `modules_bytes`.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "trace/event.h"

namespace thrum::trace {

inline constexpr std::uint64_t kMagic = 0x31304d5552485400;  // "\0THRUM01"
inline constexpr std::uint32_t kSlots = 4096;
inline constexpr std::uint32_t kProcesses = 1024;
inline constexpr std::uint32_t kRingEvents = 4096;
inline constexpr std::uint32_t kHeld = 32;
inline constexpr std::uint32_t kCounts = 128;
inline constexpr std::uint32_t kModuleBytes = 32768 - 64;

/// The environment of an observed process: "PID:FD:TOKEN" says where the memory is.
inline constexpr char kWhere[] = "THRUM_WATCH";

/// A value that its writer changes while others read it: each reads what was there at some moment.
/// Relaxed: nothing else follows from it.
template <class T>
class Cell {
 public:
  T get() const noexcept { return value_.load(std::memory_order_relaxed); }
  void set(T value) noexcept { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};

enum class Clock : std::uint32_t { monotonic, tsc };

// life     | the slot                          | leaves the state by
// kFree    | is nobody's                       | a thread or process that claims it
// kTaken   | is being filled in                | its claimer
// kNew     | is a thread's that was created    | its first instruction; a creation that failed
// kLive    | is a thread's that runs           | its end
// kEnded   | is to be read to its end          | the watcher, which frees it
inline constexpr std::uint32_t kFree = 0, kTaken = 1, kNew = 2, kLive = 3, kEnded = 4;

struct Header {
  std::uint64_t magic;
  std::uint32_t version;
  Clock clock;
  std::uint64_t origin;  // ticks at the start of the recording
  std::uint64_t token;   // as in the environment: a number that only the watcher's children know
  std::uint32_t record_all;  // each acquire and release is an event
  std::uint32_t only_pid;    // the one process to observe; 0 for all
  std::atomic<std::uint64_t> serials;
  std::atomic<std::uint32_t> slot_hint;       // where to look for a free one
  std::atomic<std::uint32_t> slots_used;      // behind the furthest that was ever taken
  std::atomic<std::uint32_t> threads_lost;    // there was no slot
  std::atomic<std::uint32_t> processes_lost;  // there was no entry
  // 1 while short waits, releases and hold times are not written down, to cost less
  // (docs/watch.md).
  std::atomic<std::uint32_t> resting;
  // The watcher sleeps on it; 1 while it does. A ring that is half full wakes it.
  std::atomic<std::uint32_t> bell;
};

/// A file that the process has mapped, at the head of its bytes in Process::modules.
struct ModuleHead {
  std::uint64_t bias, low, high;  // added to the file's addresses; where it begins and ends
  std::uint32_t path_bytes;       // follow, filled to a multiple of 8
  std::uint32_t is_program;
};

struct Process {
  std::atomic<std::uint32_t> life;
  std::uint32_t pid;
  std::uint32_t parent_pid;
  std::uint32_t serial;
  std::uint64_t born;  // ticks
  std::atomic<std::uint32_t> modules_bytes;
  std::uint32_t modules_lost;
  alignas(64) unsigned char modules[kModuleBytes];
};

struct Held {
  Cell<std::uint64_t> object_kind;
  Cell<std::uint64_t> site_stack;
};

struct Count {
  Cell<std::uint64_t> object_kind;
  Cell<std::uint64_t> site;
  Cell<std::uint64_t> n;
};

/// One thread. Written by it alone while it lives, but for `tail`.
struct alignas(4096) Slot {
  std::atomic<std::uint32_t> life;
  std::uint32_t process;  // index
  std::uint64_t serial;   // never given twice in a recording
  std::uint64_t creator;  // serial; 0 unknown
  Cell<std::uint32_t> tid;
  End end;
  std::uint8_t pad[3];
  std::uint64_t created, started, ended;  // ticks; 0 unknown
  Cell<std::uint64_t> pthread;
  std::uint64_t function, argument;  // what it starts with
  std::uint64_t stack_bytes;
  std::uint64_t end_detail;
  char name[16];
  char text[96];  // the exception's type, mangled

  // What it does now, for the wait-for graph.
  alignas(64) std::atomic<std::uint64_t> waits_for;  // object and kind; 0 for nothing
  Cell<std::uint64_t> waits_at;
  Cell<std::uint64_t> waits_since;
  Cell<std::uint64_t> waits_argument;

  alignas(64) std::atomic<std::uint64_t> head;
  Cell<std::uint64_t> lost;
  alignas(64) std::atomic<std::uint64_t> tail;

  alignas(64) Cell<std::uint32_t> held_n;  // may exceed kHeld: then the last are not known
  Held held[kHeld];
  Count counts[kCounts];
};

struct Shared {
  alignas(4096) Header header;
  alignas(4096) Process processes[kProcesses];
  alignas(4096) Slot slots[kSlots];
  alignas(4096) Event rings[kSlots][kRingEvents];
};
static_assert(sizeof(Process) == 32768 && sizeof(Slot) == 4096);

/// Where an acquisition by `site` of `object` is counted.
constexpr std::uint32_t count_index(std::uint64_t object, std::uint64_t site) {
  return static_cast<std::uint32_t>(((object ^ site << 16) * 0x9E3779B97F4A7C15u) >> 57) % kCounts;
}

}  // namespace thrum::trace
