// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the detector remembers of memory: for each granule of eight bytes a cell of records, for
// each 512 bytes a block of cells.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace thrum::check::memory {

// An epoch (Flanagan and Freund) is a thread and the value of its own clock. A record is an access
// by its epoch. Two words, so that a cell is one cache line:
//
//   who    0..31 clock | 32..39 thread | 40..47 bytes of the granule | 48..51 flags |
//          52..54 log2 of the size, 7 for any other | 55 update | 56..63 step, upper third
//   where  0..47 pc | 48..63 step, lower two thirds
//
// A record whose clock is not above the detector's base is of an earlier execution, or was never
// written: an empty place.
struct Record {
  std::uint64_t who;
  std::uint64_t where;
};

constexpr unsigned kThreadShift = 32, kBytesShift = 40, kSizeShift = 52;
constexpr unsigned kStepHighShift = 56, kStepLowShift = 48, kStepLowBits = 16;
constexpr std::uint64_t kWrite = std::uint64_t{1} << 48;
constexpr std::uint64_t kAtomic = std::uint64_t{1} << 49;
constexpr std::uint64_t kFreed = std::uint64_t{1} << 50;   // a write by free()
constexpr std::uint64_t kRaced = std::uint64_t{1} << 51;   // took part in a race
constexpr std::uint64_t kUpdate = std::uint64_t{1} << 55;  // an atomic write that also reads
constexpr std::uint64_t kIdentity = (std::uint64_t{1} << 52) - 1;  // all but size, update and step
constexpr std::uint64_t kPc = (std::uint64_t{1} << 48) - 1;
constexpr std::uint32_t kLastStep = (1U << 24) - 1;
constexpr unsigned kOtherSize = 7;

constexpr std::uint32_t clock_of(std::uint64_t who) { return static_cast<std::uint32_t>(who); }
constexpr unsigned thread_of(std::uint64_t who) { return (who >> kThreadShift) & 0xff; }
constexpr std::uint64_t bytes_of(std::uint64_t who) { return (who >> kBytesShift) & 0xff; }

constexpr std::uint64_t size_code(std::size_t size) {
  const bool known = size <= 16 && (size & (size - 1)) == 0;
  return (known ? static_cast<std::uint64_t>(std::countr_zero(size)) : kOtherSize) << kSizeShift;
}

constexpr unsigned kGranule = 8;
constexpr unsigned kRecords = 4;
constexpr unsigned kBlockBits = 9;
constexpr unsigned kGranules = (1U << kBlockBits) / kGranule;

struct alignas(64) Cell {
  Record records[kRecords];
};

// Records that found no place in their cell.
struct Overflow {
  Record record;
  Overflow* next;
};

constexpr std::uint32_t kFewThreads = 8;

// What was released at an address. A clock that is not there stands at the detector's base.
struct Sync {
  std::uintptr_t key;     // see Detector::sync_at
  Sync* next;             // in the same granule
  std::uint32_t* clocks;  // `few`, or more
  std::uint32_t length;   // 0: nothing was released
  std::uint32_t capacity;
  std::uint32_t few[kFewThreads];
};

// The cells need no clearing. Of the two arrays counts what a bit says, of each granule one; none
// does if the block was not used in this execution.
struct alignas(64) Block {
  std::uint64_t number;  // address >> kBlockBits
  std::uint64_t execution;
  std::uint64_t has_sync, has_overflow;
  Sync* syncs[kGranules];
  Overflow* overflows[kGranules];
  Cell cells[kGranules];

  static constexpr std::uint64_t bit(unsigned granule) { return std::uint64_t{1} << granule; }
  Sync* sync(unsigned granule) const {
    return (has_sync & bit(granule)) != 0 ? syncs[granule] : nullptr;
  }
  void set_sync(unsigned granule, Sync* first) {
    has_sync |= bit(granule);
    syncs[granule] = first;
  }
  Overflow* overflow(unsigned granule) const {
    return (has_overflow & bit(granule)) != 0 ? overflows[granule] : nullptr;
  }
  void set_overflow(unsigned granule, Overflow* first) {
    has_overflow |= bit(granule);
    overflows[granule] = first;
  }
};

}  // namespace thrum::check::memory
