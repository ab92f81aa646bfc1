// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What happens before what: the clocks of the threads, and what was released where.
#include "check/memory/detector.h"

namespace thrum::check {

using namespace memory;

namespace {

bool acquires(Order order) {
  return order == Order::acquire || order == Order::consume || order >= Order::acq_rel;
}

bool releases(Order order) { return order >= Order::release; }

// Clocks are taken four at a time: those beyond the last thread are not above the detector's base,
// as all that earlier executions left behind. So they say nothing, and are not looked at one by
// one.
constexpr std::uint32_t kAtOnce = 4;

void raise(std::uint32_t* clocks, const std::uint32_t* by, std::uint32_t count) {
  const std::uint32_t* const end = clocks + count;
  for (; clocks < end; clocks += kAtOnce, by += kAtOnce) {
    for (std::uint32_t k = 0; k < kAtOnce; ++k) clocks[k] = clocks[k] > by[k] ? clocks[k] : by[k];
  }
}

void copy(std::uint32_t* clocks, const std::uint32_t* from, std::uint32_t count) {
  const std::uint32_t* const end = clocks + count;
  for (; clocks < end; clocks += kAtOnce, from += kAtOnce) {
    for (std::uint32_t k = 0; k < kAtOnce; ++k) clocks[k] = from[k];
  }
}

}  // namespace

void Detector::set_epoch(Tid me) noexcept {
  epochs_[me] = threads_[me].clocks[me] | std::uint64_t{me} << kThreadShift;
  if (me == current_) epoch_ = epochs_[me];
}

// Ends the epoch of a thread that has released: what it does from here on was not.
inline void Detector::tick(Tid me, Edge::Kind kind, const void* object, Pc pc) noexcept {
  Thread& thread = threads_[me];
  std::uint32_t& clock = thread.clocks[me];
  auto& released = thread.released[thread.releases++ % kEdges];
  released.clock = clock;
  released.edge = {kind, step_, object, pc};
  if (clock == UINT32_MAX) {
    run_out();
    return;
  }
  if (++clock > top_) top_ = clock;
  set_epoch(me);
}

void Detector::create(Tid parent, Tid child, Pc pc) noexcept {
  if (child >= kMaxThreads) run_out();
  if (incomplete_) return;
  for (; n_threads_ <= child; ++n_threads_) {
    Thread& thread = threads_[n_threads_];
    thread.clocks[n_threads_] = base_ + 1;
    thread.has_fence = thread.has_pending = false;
    thread.acquired = {};
    thread.releases = 0;
    set_epoch(n_threads_);
  }
  if (base_ + 1 > top_) top_ = base_ + 1;
  if (child == parent) return;  // the first of all
  off_ = false;
  Thread& thread = threads_[child];
  copy(thread.clocks, threads_[parent].clocks, n_threads_);
  thread.clocks[child] = base_ + 1;
  thread.acquired = {Edge::Kind::create, step_, nullptr, pc};
  tick(parent, Edge::Kind::create, nullptr, pc);
}

void Detector::join(Tid joiner, Tid ended, Pc pc) noexcept {
  if (off_) return;
  raise(threads_[joiner].clocks, threads_[ended].clocks, n_threads_);
  threads_[joiner].acquired = {Edge::Kind::join, step_, nullptr, pc};
}

// An address is an object of the engine's or an atomic, and may be both.
inline Detector::Sync* Detector::sync_at(Address address, bool atomic, bool create) noexcept {
  Block* block = block_at_hand(address, 1);
  if (block == nullptr) [[unlikely]]
    block = block_at(address);
  if (block == nullptr) return nullptr;
  const std::uintptr_t key = address * 2 + (atomic ? 1 : 0);
  const unsigned granule = (address / kGranule) % kGranules;
  Sync* const first = block->sync(granule);
  for (Sync* sync = first; sync != nullptr; sync = sync->next) {
    if (sync->key == key) return sync;
  }
  return create ? new_sync(*block, granule, key) : nullptr;
}

Detector::Sync* Detector::new_sync(Block& block, unsigned granule, std::uintptr_t key) noexcept {
  auto* const sync = static_cast<Sync*>(allocate(sizeof(Sync)));
  if (sync == nullptr) return nullptr;
  sync->key = key;
  sync->next = block.sync(granule);
  sync->clocks = sync->few;
  sync->length = 0;
  sync->capacity = kFewThreads;
  for (std::uint32_t& clock : sync->few) clock = base_;
  block.set_sync(granule, sync);
  return sync;
}

// What `me` knows once it acquires what was released: at once, or at its next fence.
inline void Detector::acquire_from(Tid me, const Sync& sync, bool at_fence) noexcept {
  Thread& thread = threads_[me];
  if (at_fence && !thread.has_pending) {
    for (Tid i = 0; i < n_threads_; ++i) thread.pending[i] = base_;
    thread.has_pending = true;
  }
  raise(at_fence ? thread.pending : thread.clocks, sync.clocks, sync.length);
}

bool Detector::make_room(Sync& sync) noexcept {
  const Tid capacity = (n_threads_ + kFewThreads - 1) / kFewThreads * kFewThreads;
  auto* const larger = static_cast<std::uint32_t*>(allocate(capacity * sizeof(std::uint32_t)));
  if (larger == nullptr) return false;
  for (Tid i = 0; i < capacity; ++i) larger[i] = i < sync.length ? sync.clocks[i] : base_;
  sync.clocks = larger;
  sync.capacity = capacity;
  return true;
}

// Releases clocks at an object: besides what was released there, or in its place.
inline void Detector::release_to(Sync* sync, const std::uint32_t* clocks, bool besides) noexcept {
  if (sync == nullptr) return;  // out of memory
  if (sync->capacity < n_threads_ && !make_room(*sync)) return;
  if (besides && sync->length != 0) {
    raise(sync->clocks, clocks, n_threads_);
  } else {
    copy(sync->clocks, clocks, n_threads_);
  }
  sync->length = n_threads_;
}

void Detector::acquire(Tid me, const void* object, Pc pc) noexcept {
  if (off_) return;
  const Sync* const sync = sync_at(reinterpret_cast<Address>(object), false, false);
  if (sync != nullptr) acquire_from(me, *sync, false);
  threads_[me].acquired = {Edge::Kind::object, step_, object, pc};
}

void Detector::release(Tid me, const void* object, Pc pc) noexcept {
  if (off_) return;
  release_to(sync_at(reinterpret_cast<Address>(object), false, true), threads_[me].clocks, true);
  tick(me, Edge::Kind::object, object, pc);
}

// The store that a read reads from comes before the read itself, not only before what follows: so
// acquire, then access. And what a store publishes includes the store: access, then release.

void Detector::acquire_atomic(Tid me, const void* address, Order order, Pc pc) noexcept {
  const Sync* const sync = sync_at(reinterpret_cast<Address>(address), true, false);
  if (sync == nullptr || sync->length == 0) return;
  acquire_from(me, *sync, !acquires(order));
  if (acquires(order)) threads_[me].acquired = {Edge::Kind::atomic, step_, address, pc};
}

void Detector::release_atomic(Tid me, const void* address, Order order, Pc pc,
                              bool besides) noexcept {
  Thread& thread = threads_[me];
  const auto at = reinterpret_cast<Address>(address);
  if (releases(order)) {
    release_to(sync_at(at, true, true), thread.clocks, besides);
    tick(me, Edge::Kind::atomic, address, pc);
  } else if (thread.has_fence) {
    release_to(sync_at(at, true, true), thread.fence, besides);
  } else if (!besides) {
    Sync* const sync = sync_at(at, true, false);
    if (sync != nullptr) sync->length = 0;
  }
}

const Race* Detector::atomic_read(Tid me, const void* address, unsigned size, Order order,
                                  Pc pc) noexcept {
  if (off_) return nullptr;
  acquire_atomic(me, address, order, pc);
  return access(me, reinterpret_cast<Address>(address), size, kAtomic, pc);
}

const Race* Detector::atomic_write(Tid me, const void* address, unsigned size, Order order,
                                   Pc pc) noexcept {
  if (off_) return nullptr;
  const Race* const race =
      access(me, reinterpret_cast<Address>(address), size, kAtomic | kWrite, pc);
  release_atomic(me, address, order, pc, false);
  return race;
}

const Race* Detector::atomic_update(Tid me, const void* address, unsigned size, Order order,
                                    Pc pc) noexcept {
  if (off_) return nullptr;
  acquire_atomic(me, address, order, pc);
  const Race* const race =
      access(me, reinterpret_cast<Address>(address), size, kAtomic | kWrite | kUpdate, pc);
  release_atomic(me, address, order, pc, true);
  return race;
}

void Detector::fence(Tid me, Order order, Pc pc) noexcept {
  if (off_) return;
  Thread& thread = threads_[me];
  if (acquires(order) && thread.has_pending) {
    raise(thread.clocks, thread.pending, n_threads_);
    thread.has_pending = false;
    thread.acquired = {Edge::Kind::fence, step_, nullptr, pc};
  }
  if (releases(order)) {
    copy(thread.fence, thread.clocks, n_threads_);
    thread.has_fence = true;
    tick(me, Edge::Kind::fence, nullptr, pc);
  }
}

}  // namespace thrum::check
