// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/memory/detector.h"

namespace thrum::check {

using namespace memory;

namespace {

// Before the clocks run out: what one execution may still use.
constexpr std::uint32_t kLastBase = UINT32_MAX - (1U << 28);

bool conflict(std::uint64_t one, std::uint64_t other) {
  return ((one | other) & kWrite) != 0 && (one & other & kAtomic) == 0;
}

// May an access with the flags `later` replace one with `earlier`? See the table in detector.h.
bool replaces(std::uint64_t later, std::uint64_t earlier) {
  const std::uint64_t more = earlier & ~later & kWrite;   // it writes, the later does not
  const std::uint64_t less = later & ~earlier & kAtomic;  // the later is atomic, it is not
  return (more | less) == 0 || (later & (kWrite | kAtomic)) == kWrite;
}

Access access_of(const Record& record) {
  Access access{};
  access.thread = thread_of(record.who);
  const bool writes = (record.who & kWrite) != 0;
  if ((record.who & kFreed) != 0) {
    access.kind = Access::Kind::free;
  } else if ((record.who & kAtomic) == 0) {
    access.kind = writes ? Access::Kind::write : Access::Kind::read;
  } else if ((record.who & kUpdate) != 0) {
    access.kind = Access::Kind::atomic_update;
  } else {
    access.kind = writes ? Access::Kind::atomic_write : Access::Kind::atomic_read;
  }
  const unsigned log = (record.who >> kSizeShift) & 7;
  access.size = log == kOtherSize ? 0 : 1U << log;
  access.step = static_cast<std::uint32_t>((record.who >> kStepHighShift) << kStepLowBits |
                                           record.where >> kStepLowShift);
  access.pc = record.where & kPc;
  return access;
}

std::uint32_t step_of(const Record& record) { return access_of(record).step; }

}  // namespace

void Detector::init(void* arena, std::size_t bytes) noexcept {
  char* next = static_cast<char*>(arena);
  const auto take = [&next](std::size_t size) {
    char* const taken = next;
    next += (size + 63) / 64 * 64;
    return taken;
  };
  threads_ = reinterpret_cast<Thread*>(take(sizeof(Thread) * kMaxThreads));
  epochs_ = reinterpret_cast<std::uint64_t*>(take(sizeof(std::uint64_t) * kMaxThreads));
  translations_ = reinterpret_cast<Translation*>(take(sizeof(Translation) * kTranslations));
  std::uint64_t places = 64;
  while (places * sizeof(Block) < 2 * bytes) places *= 2;
  table_ = reinterpret_cast<std::uint32_t*>(take(sizeof(std::uint32_t) * places));
  table_mask_ = places - 1;
  blocks_ = reinterpret_cast<Block*>(next);
  end_ = static_cast<char*>(arena) + bytes / 64 * 64;
  begin();
}

void Detector::reset() noexcept {
  base_ = top_;
  if (base_ >= kLastBase) clear();
  begin();
}

void Detector::clear() noexcept {
  for (std::uint64_t i = 0; i <= table_mask_; ++i) table_[i] = 0;
  for (std::uint64_t i = 0; i < kTranslations; ++i) translations_[i] = {};
  for (Tid i = 0; i < kMaxThreads; ++i) {
    Thread& thread = threads_[i];
    for (Tid k = 0; k < kMaxThreads; ++k) {
      thread.clocks[k] = thread.fence[k] = thread.pending[k] = 0;
    }
  }
  n_blocks_ = 0;
  base_ = top_ = 0;
}

void Detector::begin() noexcept {
  if (incomplete_) clear();  // room for the memory of this execution
  ++execution_;
  execution_key_ += kNumber + 1;
  if (execution_key_ == 0) {
    for (std::uint64_t i = 0; i < kTranslations; ++i) translations_[i] = {};
    execution_key_ = kNumber + 1;
  }
  free_end_ = end_;
  off_ = true;
  incomplete_ = false;
  n_threads_ = 0;
  at_step(0);
  create(0, 0);
  at_thread(0);
}

void* Detector::allocate(std::size_t bytes) noexcept {
  bytes = (bytes + 15) / 16 * 16;
  if (static_cast<std::size_t>(free_end_ - reinterpret_cast<char*>(blocks_ + n_blocks_)) < bytes) {
    run_out();
    return nullptr;
  }
  return free_end_ -= bytes;
}

Detector::Block* Detector::find_block(std::uint64_t number, bool create) noexcept {
  std::uint64_t place = (number * 0x9e3779b97f4a7c15U) >> 20;
  for (;; ++place) {
    const std::uint32_t index = table_[place & table_mask_];
    if (index == 0) break;
    if (blocks_[index - 1].number == number) return &blocks_[index - 1];
  }
  if (!create) return nullptr;
  Block* const block = blocks_ + n_blocks_;
  if (reinterpret_cast<char*>(block + 1) > free_end_) {
    run_out();
    return nullptr;
  }
  table_[place & table_mask_] = ++n_blocks_;
  block->number = number;
  block->execution = 0;
  for (Cell& cell : block->cells) {
    for (Record& record : cell.records) record.who = 0;
  }
  return block;
}

Detector::Block* Detector::block_at(Address address) noexcept {
  const std::uint64_t number = address >> kBlockBits;
  Translation& translation = translations_[number % kTranslations];
  if (translation.key == number + execution_key_) return translation.block;
  // Its place is the same in all executions.
  const bool is_known = (translation.key & kNumber) == number && translation.block != nullptr;
  Block* const block = is_known ? translation.block : find_block(number, true);
  if (block == nullptr) return nullptr;
  if (block->execution != execution_) {
    block->execution = execution_;
    block->has_sync = block->has_overflow = 0;
  }
  translation = {number + execution_key_, block};
  return block;
}

// What use() does for a whole granule that is freed, in short. Returns false, and has done nothing,
// if there was an access that does not happen before.
inline bool Detector::free_granule(Block& block, unsigned granule, const Use& it) noexcept {
  Cell& cell = block.cells[granule];
  const std::uint32_t* const clocks = threads_[it.me].clocks;
  bool is_free = it.bytes == 0xff && block.overflow(granule) == nullptr;
  for (const Record& record : cell.records) {
    const bool is_empty = clock_of(record.who) <= base_;
    is_free &= is_empty || ((record.who & kFreed) == 0 &&
                            clock_of(record.who) <= clocks[thread_of(record.who)]);
  }
  if (!is_free) return false;
  for (Record& record : cell.records) record.who = 0;
  cell.records[0].who = epochs_[it.me] | it.bytes << kBytesShift | it.flags;
  stamp(cell.records[0], it);
  return true;
}

const Race* Detector::access(Tid me, Address address, std::size_t size, std::uint64_t flags,
                             Pc pc) noexcept {
  Use use_it{me, flags & kIdentity, 0, (flags & kUpdate) | size_code(size), pc};
  bool raced = false;
  Block* block = block_at(address);
  while (size != 0 && block != nullptr) {
    const std::size_t offset = address % kGranule;
    const std::size_t length = size < kGranule - offset ? size : kGranule - offset;
    use_it.bytes = ((std::uint64_t{1} << length) - 1) << offset;
    const unsigned granule = (address / kGranule) % kGranules;
    Record* first = nullptr;
    if ((flags & kFreed) == 0 || !free_granule(*block, granule, use_it)) {
      first = use(*block, granule, use_it);
    }
    if (first != nullptr && !raced) {
      raced = true;
      report(*first, address - offset, use_it);
    }
    address += length;
    size -= length;
    if (size != 0 && address >> kBlockBits != block->number) block = block_at(address);
  }
  return raced ? &race_ : nullptr;
}

// What use() does for the thread that runs, in short: without what was freed, what races, and cells
// that are full. Those it leaves to access(), which may find some of the work done.
template <std::uint64_t kFlags>
const Race* Detector::unknown(Block& block, Address address, std::uint64_t mine, Pc pc) noexcept {
  constexpr std::uint64_t kEpoch = (std::uint64_t{1} << kBytesShift) - 1;
  constexpr std::uint64_t kBytes = std::uint64_t{0xff} << kBytesShift;
  if (off_) return nullptr;
  const unsigned granule = (address / kGranule) % kGranules;
  const std::uint64_t bytes = mine & kBytes;
  Record* const records = block.cells[granule].records;
  Record* place = nullptr;  // an empty one
  bool is_plain = (block.has_overflow & Block::bit(granule)) == 0;
  for (Record* record = records + kRecords; is_plain && record-- != records;) {
    const std::uint64_t who = record->who;
    if (clock_of(who) <= base_) {
      place = record;
      continue;
    }
    if ((who & bytes) == 0) continue;
    const bool is_before = clock_of(who) <= clocks_[thread_of(who)];
    is_plain = (who & (kFreed | kRaced)) == 0 && (is_before || !conflict(who, kFlags));
    // The same access of this epoch stands for this one, or one to more bytes, or a write to them.
    if (((who ^ mine) & kEpoch) == 0 && (bytes & ~who) == 0 && replaces(who, kFlags) && is_plain) {
      if (((who ^ mine) & kIdentity) == 0) {
        place = record;
        break;
      }
      return nullptr;
    }
    if (!is_plain || !is_before || !replaces(kFlags, who)) continue;
    record->who = who & ~bytes;
    if ((record->who & kBytes) != 0) continue;
    record->who = 0;
    place = record;
  }
  if (!is_plain || place == nullptr) [[unlikely]] {
    const auto size = static_cast<std::size_t>(std::bit_width(bytes >> std::countr_zero(bytes)));
    return access(current_, address, size, kFlags, pc);
  }
  place->who = mine | step_high_;
  place->where = (pc & kPc) | step_low_;
  return nullptr;
}
template const Race* Detector::unknown<0>(Block&, Address, std::uint64_t, Pc) noexcept;
template const Race* Detector::unknown<kWrite>(Block&, Address, std::uint64_t, Pc) noexcept;

// What a use finds in a granule that it shares with others.
struct Detector::Verdict {
  Record* raced = nullptr;
  bool known = false;  // an earlier access of the same epoch stands for this one
};

inline void Detector::judge(Record& record, const Use& it, Verdict& verdict) const noexcept {
  if ((bytes_of(record.who) & it.bytes) == 0) return;
  const std::uint64_t mine = epochs_[it.me];
  if ((record.who & kFreed) != 0) {
    verdict.raced = &record;
    return;
  }
  const unsigned thread = thread_of(record.who);
  if (thread != it.me && clock_of(record.who) > threads_[it.me].clocks[thread]) {
    if (!conflict(record.who, it.flags)) return;
    record.who |= kRaced;
    if (verdict.raced == nullptr ||
        ((verdict.raced->who & kFreed) == 0 && step_of(record) >= step_of(*verdict.raced))) {
      verdict.raced = &record;
    }
    return;
  }
  constexpr std::uint64_t kEpoch = (std::uint64_t{1} << kBytesShift) - 1;
  if ((record.who & (kEpoch | kRaced)) == mine && (it.bytes & ~bytes_of(record.who)) == 0 &&
      replaces(record.who, it.flags) && (it.flags & kFreed) == 0) {
    const std::uint64_t kind = kWrite | kAtomic;
    if ((record.who & kind) == (it.flags & kind) && bytes_of(record.who) == it.bytes) {
      stamp(record, it);
    }
    verdict.known = true;
    return;
  }
  if (replaces(it.flags, record.who)) {
    record.who &= ~(it.bytes << kBytesShift);
    if (bytes_of(record.who) == 0) record.who = 0;
  }
}

Detector::Record* Detector::use(Block& block, unsigned granule, const Use& it) noexcept {
  Verdict verdict;
  Record mine{epochs_[it.me] | it.bytes << kBytesShift | it.flags, 0};
  Record* place = nullptr;  // an empty one
  for (Record& record : block.cells[granule].records) {
    if (clock_of(record.who) > base_) {
      // Most often it is the same access of an earlier epoch.
      const std::uint64_t other = (record.who ^ mine.who) & kIdentity;
      if (other <= UINT32_MAX && other != 0 && (it.flags & kFreed) == 0) {
        record.who = 0;
      } else {
        judge(record, it, verdict);
        if (verdict.known) return nullptr;
      }
    }
    if (place == nullptr && clock_of(record.who) <= base_) place = &record;
  }
  for (Overflow* more = block.overflow(granule); more != nullptr; more = more->next) {
    judge(more->record, it, verdict);
    if (verdict.known) return nullptr;
  }
  if (verdict.raced != nullptr) {
    raced_ = *verdict.raced;
    if ((raced_.who & kFreed) != 0) return &raced_;
  }
  if ((it.flags & kFreed) != 0) forget(block, granule, it.bytes, false);
  if (verdict.raced != nullptr) mine.who |= kRaced;
  stamp(mine, it);
  if (place != nullptr) {
    *place = mine;
  } else {
    put(block, granule, mine);
  }
  return verdict.raced != nullptr ? &raced_ : nullptr;
}

void Detector::stamp(Record& record, const Use& it) const noexcept {
  record.who = (record.who & kIdentity) | it.extra | step_high_;
  record.where = (it.pc & kPc) | step_low_;
}

void Detector::put(Block& block, unsigned granule, Record record) noexcept {
  for (Record& place : block.cells[granule].records) {
    if (clock_of(place.who) <= base_) {
      place = record;
      return;
    }
  }
  Overflow* more = block.overflow(granule);
  while (more != nullptr && more->record.who != 0) more = more->next;
  if (more == nullptr) {
    more = static_cast<Overflow*>(allocate(sizeof(Overflow)));
    if (more == nullptr) return;
    more->next = block.overflow(granule);
    block.set_overflow(granule, more);
  }
  more->record = record;
}

void Detector::forget(Block& block, unsigned granule, std::uint64_t bytes,
                      bool and_syncs) noexcept {
  const auto forget_in = [bytes](Record& record) {
    record.who &= ~(bytes << kBytesShift);
    if (bytes_of(record.who) == 0) record.who = 0;
  };
  for (Record& record : block.cells[granule].records) forget_in(record);
  for (Overflow* more = block.overflow(granule); more != nullptr; more = more->next) {
    forget_in(more->record);
  }
  if (!and_syncs) return;
  for (Sync* sync = block.sync(granule); sync != nullptr; sync = sync->next) {
    if ((bytes >> (sync->key / 2 % kGranule) & 1) != 0) sync->length = 0;
  }
}

// Calls f(block) for each block of the range that was used in this execution.
template <class F>
void Detector::each_used_block(Address begin, Address end, F f) noexcept {
  if (begin == end) return;
  const std::uint64_t first = begin >> kBlockBits, last = (end - 1) >> kBlockBits;
  if (last - first < n_blocks_) {
    for (std::uint64_t number = first; number <= last; ++number) {
      const Translation& translation = translations_[number % kTranslations];
      const bool is_at_hand = translation.key == number + execution_key_;
      Block* const block = is_at_hand ? translation.block : find_block(number, false);
      if (block != nullptr && block->execution == execution_) f(*block);
    }
  } else {
    for (Block* block = blocks_; block != blocks_ + n_blocks_; ++block) {
      if (block->number >= first && block->number <= last && block->execution == execution_) {
        f(*block);
      }
    }
  }
}

// Calls f(granule, bytes) for each granule of the block that the range touches.
template <class F>
void Detector::each_granule(const Block& block, Address begin, Address end, F f) noexcept {
  const Address block_begin = block.number << kBlockBits;
  unsigned granule =
      begin <= block_begin ? 0 : static_cast<unsigned>(begin - block_begin) / kGranule;
  for (; granule < kGranules; ++granule) {
    const Address first = block_begin + granule * kGranule;
    if (first >= end) return;
    std::uint64_t bytes = 0xff;
    if (first < begin) bytes &= std::uint64_t{0xff} << (begin - first);
    if (first + kGranule > end) bytes &= std::uint64_t{0xff} >> (first + kGranule - end);
    f(granule, bytes);
  }
}

void Detector::allocated(const void* address, std::size_t size) noexcept {
  if (incomplete_) return;
  const auto begin = reinterpret_cast<Address>(address), end = begin + size;
  each_used_block(begin, end, [&](Block& block) {
    each_granule(block, begin, end, [&](unsigned granule, std::uint64_t bytes) {
      forget(block, granule, bytes, true);
    });
  });
}

const Race* Detector::freed(Tid me, const void* address, std::size_t size, Pc pc) noexcept {
  if (incomplete_) return nullptr;
  const auto begin = reinterpret_cast<Address>(address), end = begin + size;
  const std::size_t whole = size < kFreedWhole ? size : kFreedWhole;
  bool raced = access(me, begin, whole, kWrite | kFreed, pc) != nullptr;
  const Use base{me, kWrite | kFreed, 0, size_code(size), pc};
  each_used_block(begin + whole, end, [&](Block& block) {
    each_granule(block, begin + whole, end, [&](unsigned granule, std::uint64_t bytes) {
      Use it = base;
      it.bytes = bytes;
      const Record* const first = use(block, granule, it);
      if (first == nullptr || raced) return;
      raced = true;
      report(*first, (block.number << kBlockBits) + granule * kGranule, it);
    });
  });
  return raced ? &race_ : nullptr;
}

bool Detector::shared(Tid me, const void* address, std::size_t size) noexcept {
  if (off_) return false;
  const auto begin = reinterpret_cast<Address>(address), end = begin + size;
  bool found = false;
  const auto look = [&](const Record& record, std::uint64_t bytes) {
    found = found || (clock_of(record.who) > base_ && thread_of(record.who) != me &&
                      (bytes_of(record.who) & bytes) != 0);
  };
  each_used_block(begin, end, [&](Block& block) {
    each_granule(block, begin, end, [&](unsigned granule, std::uint64_t bytes) {
      for (const Record& record : block.cells[granule].records) look(record, bytes);
      for (const Overflow* more = block.overflow(granule); more != nullptr; more = more->next) {
        look(more->record, bytes);
      }
    });
  });
  return found;
}

void Detector::report(const Record& first, Address granule, const Use& it) noexcept {
  std::uint64_t common = bytes_of(first.who) & it.bytes;
  while ((common & 1) == 0) {
    common >>= 1;
    ++granule;
  }
  Record second{it.flags | std::uint64_t{it.me} << kThreadShift, 0};
  stamp(second, it);
  const bool was_freed = (first.who & kFreed) != 0, is_freed = (it.flags & kFreed) != 0;
  race_.kind = was_freed  ? is_freed ? Race::Kind::double_free : Race::Kind::use_after_free
               : is_freed ? Race::Kind::free_while_used
                          : Race::Kind::data_race;
  race_.address = reinterpret_cast<const void*>(granule);
  race_.first = access_of(first);
  race_.second = access_of(second);
  race_.released = {};
  const Thread& other = threads_[race_.first.thread];
  for (std::uint32_t i = 0; i < kEdges && i < other.releases; ++i) {
    const auto& release = other.released[(other.releases - 1 - i) % kEdges];
    if (release.clock < clock_of(first.who)) break;
    race_.released = release.edge;
  }
  race_.acquired = threads_[it.me].acquired;
}

}  // namespace thrum::check
