// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The race detector: happens-before by vector clocks, over a shadow of the memory that was used.
//
// A race is a pair of accesses to one byte by two threads, at least one a write, at least one not
// atomic, of which neither happens before the other. Happens-before is that of C++20: program
// order, and what acquires after what was released.
//
// Epochs instead of vector clocks for most accesses are FastTrack's (C. Flanagan, S. N. Freund,
// "FastTrack: efficient and precise dynamic race detection", PLDI 2009); a few records for each
// eight bytes of memory are ThreadSanitizer's (K. Serebryany, T. Iskhodzhanov, "ThreadSanitizer:
// data race detection in practice", WBIA 2009). Unlike the first this one goes on exactly after the
// first race of a variable, unlike the second it forgets no access that a later one could race
// with.
//
//   Exact: an access returns a race if and only if, of all accesses since the memory was allocated,
//   there is one that it races with.
//
// Why that holds although most accesses are forgotten: of one byte, R may be forgotten for the sake
// of A if R happens before A and A conflicts with whatever R conflicts with. Then any X that races
// with R races with A as well, or else R -> A -> X. What conflicts with what:
//
//               plain write  plain read  atomic write  atomic read   so it replaces
//   plain write      x            x            x             x       everything
//   plain read       x            -            x             -       reads
//   atomic write     x            x            -             -       atomics
//   atomic read      x            -            -             -       atomic reads
//
// And two accesses of a thread with no release of the thread between them (one epoch) race with the
// same accesses of others: a thread repeats itself at the cost of one look.
//
// Nothing is cleared between executions. Clocks go on where they stood, and what is not above the
// clock at which an execution began happened before all of it. The clocks have 32 bits; before they
// run out, everything is cleared.
//
// Not thread-safe: the engine lets one thread of the program run at a time. Calls nothing, not even
// memset, which may be one of the functions that are checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "check/memory/shadow.h"

namespace thrum::check {

using Tid = unsigned;       // of an execution: dense, 0 is its first thread, never given twice
using Pc = std::uintptr_t;  // the caller's return address

constexpr Tid kMaxThreads = 256;

// The numbers are those of __ATOMIC_RELAXED to __ATOMIC_SEQ_CST, as compilers pass them.
enum class Order : std::uint8_t { relaxed, consume, acquire, release, acq_rel, seq_cst };

struct Access {
  enum class Kind : std::uint8_t { read, write, atomic_read, atomic_write, atomic_update, free };
  Tid thread;
  Kind kind;
  unsigned size;       // 0: a range that is none of 1, 2, 4, 8, 16 bytes
  std::uint32_t step;  // as of at_step(); the last that can be told is memory::kLastStep
  Pc pc;
};

// A point at which one thread released, or acquired.
struct Edge {
  enum class Kind : std::uint8_t { none, object, atomic, fence, create, join };
  Kind kind;  // none: nothing of the sort is known
  std::uint32_t step;
  const void* object;  // its address; null for fence, create, join
  Pc pc;               // 0 if the caller did not say
};

struct Race {
  enum class Kind : std::uint8_t {
    data_race,        // neither access happens before the other
    use_after_free,   // `first` is the free, whether or not it happens before `second`
    free_while_used,  // `second` is a free; in another schedule `first` comes after it
    double_free,
  };
  Kind kind;
  const void* address;  // the first byte that both touch
  Access first, second;
  // The edge that is missing: where the first thread released next after its access (the oldest
  // such release that is still remembered), and what the second had acquired last.
  Edge released, acquired;
};

class Detector {
 public:
  // `arena` is zeroed, aligned to 64, and outlives the detector. It holds everything; nine bytes of
  // it serve one byte of the program's memory that is accessed. Begins the first execution.
  void init(void* arena, std::size_t bytes) noexcept;

  // A new execution, with thread 0 alone. Cost: constant, except before clocks run out.
  void reset() noexcept;

  // The number of the engine's step that accesses and edges from here on belong to.
  void at_step(std::uint32_t step) noexcept {
    if (step > memory::kLastStep) step = memory::kLastStep;
    step_ = step;
    step_high_ = static_cast<std::uint64_t>(step >> memory::kStepLowBits) << memory::kStepHighShift;
    step_low_ = static_cast<std::uint64_t>(step) << memory::kStepLowShift;
  }

  // False if memory or thread numbers ran out: then nothing more is found until reset().
  [[nodiscard]] bool complete() const noexcept { return !incomplete_; }

  void create(Tid parent, Tid child, Pc pc = 0) noexcept;
  void join(Tid joiner, Tid ended, Pc pc = 0) noexcept;

  // Mutexes, semaphores, conditions, barriers, guards, futures, whatever the engine models. An
  // acquire gets what all releases of the object brought. A call on a semaphore, barrier or the
  // like that is both is release() as it arrives and acquire() as it leaves; readers of a
  // reader-writer lock release an object that only writers acquire besides. A futex orders nothing:
  // do not call these for it, the atomic accesses to its word do that. Nor are they seen by atomic
  // accesses to the same address: a door whose object the program reads by itself, as compilers do
  // the guard of a static local, says atomic_write(guard, 1, release).
  void acquire(Tid, const void* object, Pc pc = 0) noexcept;
  void release(Tid, const void* object, Pc pc = 0) noexcept;

  // An atomic access, which also orders. A compare-exchange that fails is a read, with its order
  // for failure. All read the newest value. What overlaps partially orders nothing. The door of an
  // object of the program (pthread_mutex_lock(m)) may say read(m) in the form of a relaxed
  // atomic_read(m, 1), and that m is initialised or destroyed by write(m): so an object that is
  // used while it is destroyed, or after it was freed, is found.
  const Race* atomic_read(Tid, const void* address, unsigned size, Order, Pc) noexcept;
  const Race* atomic_write(Tid, const void* address, unsigned size, Order, Pc) noexcept;
  const Race* atomic_update(Tid, const void* address, unsigned size, Order, Pc) noexcept;
  void fence(Tid, Order, Pc pc = 0) noexcept;

  // A plain access of any size. Null, or the race, which is valid until the next call. If it races
  // with several, the one with the latest of them. An access to freed memory is not recorded.
  const Race* read(Tid me, const void* address, std::size_t size, Pc pc) noexcept {
    return plain<0>(me, reinterpret_cast<std::uintptr_t>(address), size, pc);
  }
  const Race* write(Tid me, const void* address, std::size_t size, Pc pc) noexcept {
    return plain<memory::kWrite>(me, reinterpret_cast<std::uintptr_t>(address), size, pc);
  }

  // The same for the thread of at_thread(), faster.
  void at_thread(Tid me) noexcept {
    current_ = me;
    epoch_ = epochs_[me];
    clocks_ = threads_[me].clocks;
  }
  [[gnu::always_inline]] const Race* read_here(const void* address, std::size_t size,
                                               Pc pc) noexcept {
    return here<0>(reinterpret_cast<std::uintptr_t>(address), size, pc);
  }
  [[gnu::always_inline]] const Race* write_here(const void* address, std::size_t size,
                                                Pc pc) noexcept {
    return here<memory::kWrite>(reinterpret_cast<std::uintptr_t>(address), size, pc);
  }

  // The memory is new: what was accessed, freed, released there before is forgotten. Also for the
  // stack of a thread that begins.
  void allocated(const void* address, std::size_t size) noexcept;

  // A write to all of it, after which each access is a use after free, until it is allocated again.
  // Beyond the first kFreedWhole bytes only where it was accessed in this execution.
  static constexpr std::size_t kFreedWhole = 1 << 16;
  const Race* freed(Tid, const void* address, std::size_t size, Pc) noexcept;

  // Is it known that another thread than `me` accessed one of these bytes? No more than a hint: of
  // accesses in a row, earlier ones may be forgotten.
  [[nodiscard]] bool shared(Tid me, const void* address, std::size_t size) noexcept;

 private:
  using Address = std::uintptr_t;
  using Block = memory::Block;
  using Cell = memory::Cell;
  using Record = memory::Record;
  using Sync = memory::Sync;

  static constexpr unsigned kEdges = 8;

  // Clocks beyond n_threads_ are not above base_, in whole fours.
  struct Thread {
    std::uint32_t clocks[kMaxThreads];   // what happened before its next access
    std::uint32_t fence[kMaxThreads];    // its clocks at its last release fence
    std::uint32_t pending[kMaxThreads];  // what its relaxed reads will have acquired at a fence
    bool has_fence, has_pending;
    Edge acquired;
    std::uint32_t releases;  // how many; the last kEdges are known
    struct {
      std::uint32_t clock;
      Edge edge;
    } released[kEdges];
  };

  struct Translation {
    std::uint64_t key;  // number of a block + execution_key_
    Block* block;
  };
  static constexpr std::uint64_t kNumber = (std::uint64_t{1} << 48) - 1;
  static constexpr std::uint64_t kTranslations = 1024;

  // The access in one granule.
  struct Use {
    Tid me;
    std::uint64_t flags;
    std::uint64_t bytes;  // a bit for each
    std::uint64_t extra;  // for the report: size and update
    Pc pc;
  };

  // The block, if it was used in this execution and the bytes are in one granule of it; else null.
  [[gnu::always_inline]] Block* block_at_hand(Address address, std::size_t size) const noexcept {
    using namespace memory;
    if (size - 1 >= kGranule || address % kGranule + size > kGranule) return nullptr;
    const std::uint64_t number = address >> kBlockBits;
    const Translation& translation = translations_[number % kTranslations];
    return translation.key == number + execution_key_ ? translation.block : nullptr;
  }

  // Has the thread made such an access, `mine`, in this epoch? Looks where one is most often.
  template <std::uint64_t kFlags>
  [[gnu::always_inline]] bool known(Block& block, Address address, std::uint64_t mine,
                                    std::uint64_t size, Pc pc) noexcept {
    using namespace memory;
    // My write stands for my read as well.
    constexpr std::uint64_t kCompared = kFlags == kWrite ? kIdentity : kIdentity & ~kWrite;
    Record* const records = block.cells[(address / kGranule) % kGranules].records;
    for (unsigned i = 0; i < kRecords / 2; ++i) {
      Record& record = records[i];
      if ((record.who & kCompared) != mine) continue;
      if ((record.who & kWrite) == kFlags) {
        record.who = mine | size | step_high_;
        record.where = (pc & kPc) | step_low_;
      }
      return true;
    }
    return false;
  }

  static constexpr std::uint64_t mine(std::uint64_t epoch, Address address, std::size_t size,
                                      std::uint64_t flags) noexcept {
    const std::uint64_t bytes = (std::uint64_t{1} << size) - 1;
    return epoch | bytes << (memory::kBytesShift + address % memory::kGranule) | flags;
  }

  // Inlined where accesses come from: it decides what an access costs.
  template <std::uint64_t kFlags>
  [[gnu::always_inline]] const Race* here(Address address, std::size_t size, Pc pc) noexcept {
    Block* const block = block_at_hand(address, size);
    if (block == nullptr) return off_ ? nullptr : access(current_, address, size, kFlags, pc);
    const std::uint64_t it = mine(epoch_, address, size, kFlags);
    const std::uint64_t code = memory::size_code(size);
    if (known<kFlags>(*block, address, it, code, pc)) return nullptr;
    return unknown<kFlags>(*block, address, it | code, pc);
  }
  template <std::uint64_t kFlags>
  const Race* unknown(Block&, Address, std::uint64_t mine, Pc) noexcept;

  template <std::uint64_t kFlags>
  const Race* plain(Tid me, Address address, std::size_t size, Pc pc) noexcept {
    if (off_) return nullptr;
    Block* const block = block_at_hand(address, size);
    if (block != nullptr && known<kFlags>(*block, address, mine(epochs_[me], address, size, kFlags),
                                          memory::size_code(size), pc)) {
      return nullptr;
    }
    return access(me, address, size, kFlags, pc);
  }

  struct Verdict;
  const Race* access(Tid me, Address, std::size_t size, std::uint64_t flags, Pc) noexcept;
  bool free_granule(Block&, unsigned granule, const Use&) noexcept;
  Record* use(Block&, unsigned granule, const Use&) noexcept;
  void judge(Record&, const Use&, Verdict&) const noexcept;
  void stamp(Record&, const Use&) const noexcept;
  void put(Block&, unsigned granule, Record) noexcept;
  void forget(Block&, unsigned granule, std::uint64_t bytes, bool and_syncs) noexcept;
  void report(const Record& first, Address granule, const Use&) noexcept;

  Block* block_at(Address) noexcept;
  Block* find_block(std::uint64_t number, bool create) noexcept;
  template <class F>
  void each_used_block(Address begin, Address end, F) noexcept;
  template <class F>
  static void each_granule(const Block&, Address begin, Address end, F) noexcept;
  void* allocate(std::size_t bytes) noexcept;
  void run_out() noexcept { off_ = incomplete_ = true; }
  void clear() noexcept;
  void begin() noexcept;

  Sync* sync_at(Address, bool atomic, bool create) noexcept;
  Sync* new_sync(Block&, unsigned granule, std::uintptr_t key) noexcept;
  bool make_room(Sync&) noexcept;
  void acquire_from(Tid, const Sync&, bool at_fence) noexcept;
  void release_to(Sync*, const std::uint32_t* clocks, bool besides) noexcept;
  void acquire_atomic(Tid, const void*, Order, Pc) noexcept;
  void release_atomic(Tid, const void*, Order, Pc, bool besides) noexcept;
  void tick(Tid, Edge::Kind, const void* object, Pc) noexcept;
  void set_epoch(Tid) noexcept;

  bool off_ = true;  // nothing to find: one thread so far, or incomplete
  bool incomplete_ = false;
  std::uint64_t execution_key_ = 0;
  Translation* translations_ = nullptr;
  std::uint64_t* epochs_ = nullptr;        // of each thread, in the form of Record::who
  std::uint64_t epoch_ = 0;                // of the one that runs
  const std::uint32_t* clocks_ = nullptr;  // of the same
  Tid current_ = 0;
  std::uint64_t step_high_ = 0, step_low_ = 0;

  std::uint32_t step_ = 0;
  std::uint32_t base_ = 0;  // no clock of this execution is at or below it
  std::uint32_t top_ = 0;   // no clock is above it
  Tid n_threads_ = 0;
  std::uint64_t execution_ = 0;
  Thread* threads_ = nullptr;

  // The arena: tables, then blocks upwards; what lasts for an execution from its end downwards.
  std::uint32_t* table_ = nullptr;  // block index + 1 by number, open addressing
  std::uint64_t table_mask_ = 0;
  Block* blocks_ = nullptr;
  std::uint32_t n_blocks_ = 0;
  char* end_ = nullptr;
  char* free_end_ = nullptr;

  Record raced_{};
  Race race_{};
};

}  // namespace thrum::check
