// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What happens before what: the clocks of the threads, and what was released where.
#include <new>

#include "check/memory/detector.h"

namespace thrum::check {

using namespace memory;

namespace {

bool acquires(Order order) {
  return order == Order::acquire || order == Order::consume || order >= Order::acq_rel;
}

bool releases(Order order) { return order >= Order::release; }

}  // namespace

void Detector::set_epoch(Tid me) noexcept {
  epochs_[me] = threads_[me].clocks[me] | std::uint64_t{me} << kThreadShift;
  if (me == current_) epoch_ = epochs_[me];
}

Edge Detector::edge(Edge::Kind kind, const void* object, Pc pc) const noexcept {
  return {kind, step_, object, pc};
}

// Ends the epoch of a thread that has released: what it does from here on was not.
void Detector::tick(Tid me, Edge how) noexcept {
  Thread& thread = threads_[me];
  std::uint32_t& clock = thread.clocks[me];
  thread.released[thread.releases++ % kEdges] = {clock, how};
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
    for (Tid i = 0; i < n_threads_; ++i) {
      threads_[i].clocks[n_threads_] = base_;
      threads_[i].fence[n_threads_] = base_;
      threads_[i].pending[n_threads_] = base_;
    }
    Thread& thread = threads_[n_threads_];
    for (Tid i = 0; i <= n_threads_; ++i) thread.clocks[i] = base_;
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
  for (Tid i = 0; i < n_threads_; ++i) {
    if (i != child) thread.clocks[i] = threads_[parent].clocks[i];
  }
  thread.acquired = edge(Edge::Kind::create, nullptr, pc);
  tick(parent, edge(Edge::Kind::create, nullptr, pc));
}

void Detector::join(Tid joiner, Tid ended, Pc pc) noexcept {
  if (off_) return;
  for (Tid i = 0; i < n_threads_; ++i) {
    const std::uint32_t clock = threads_[ended].clocks[i];
    if (clock > threads_[joiner].clocks[i]) threads_[joiner].clocks[i] = clock;
  }
  threads_[joiner].acquired = edge(Edge::Kind::join, nullptr, pc);
}

// An address is an object of the engine's or an atomic, and may be both.
Detector::Sync* Detector::sync_at(Address address, bool atomic, bool create) noexcept {
  Block* const block = block_at(address);
  if (block == nullptr) return nullptr;
  const std::uintptr_t key = address * 2 + (atomic ? 1 : 0);
  Sync*& head = block->syncs[(address / kGranule) % kGranules];
  for (Sync* sync = head; sync != nullptr; sync = sync->next) {
    if (sync->key == key) return sync;
  }
  if (!create) return nullptr;
  auto* const sync = static_cast<Sync*>(allocate(sizeof(Sync)));
  if (sync != nullptr) head = new (sync) Sync{key, head, nullptr, 0, 0};
  return sync;
}

// What `me` knows once it acquires what was released: at once, or at its next fence.
void Detector::acquire_from(Tid me, const Sync& sync, bool at_fence) noexcept {
  Thread& thread = threads_[me];
  if (at_fence && !thread.has_pending) {
    for (Tid i = 0; i < n_threads_; ++i) thread.pending[i] = base_;
    thread.has_pending = true;
  }
  std::uint32_t* const into = at_fence ? thread.pending : thread.clocks;
  for (std::uint32_t i = 0; i < sync.length; ++i) {
    if (sync.clocks[i] > into[i]) into[i] = sync.clocks[i];
  }
}

// Releases clocks at an object: besides what was released there, or in its place.
void Detector::release_to(Sync* sync, const std::uint32_t* clocks, bool besides) noexcept {
  if (sync == nullptr) return;  // out of memory
  if (sync->capacity < n_threads_) {
    const Tid capacity = (n_threads_ + 7) / 8 * 8;
    auto* const larger = static_cast<std::uint32_t*>(allocate(capacity * sizeof(std::uint32_t)));
    if (larger == nullptr) return;
    for (std::uint32_t i = 0; i < sync->length; ++i) larger[i] = sync->clocks[i];
    sync->clocks = larger;
    sync->capacity = capacity;
  }
  const std::uint32_t kept = besides ? sync->length : 0;
  for (Tid i = 0; i < n_threads_; ++i) {
    if (i >= kept || clocks[i] > sync->clocks[i]) sync->clocks[i] = clocks[i];
  }
  sync->length = n_threads_;
}

void Detector::acquire(Tid me, const void* object, Pc pc) noexcept {
  if (off_) return;
  const Sync* const sync = sync_at(reinterpret_cast<Address>(object), false, false);
  if (sync != nullptr) acquire_from(me, *sync, false);
  threads_[me].acquired = edge(Edge::Kind::object, object, pc);
}

void Detector::release(Tid me, const void* object, Pc pc) noexcept {
  if (off_) return;
  release_to(sync_at(reinterpret_cast<Address>(object), false, true), threads_[me].clocks, true);
  tick(me, edge(Edge::Kind::object, object, pc));
}

// The store that a read reads from comes before the read itself, not only before what follows: so
// acquire, then access. And what a store publishes includes the store: access, then release.

void Detector::acquire_atomic(Tid me, const void* address, Order order, Pc pc) noexcept {
  const Sync* const sync = sync_at(reinterpret_cast<Address>(address), true, false);
  if (sync == nullptr || sync->length == 0) return;
  acquire_from(me, *sync, !acquires(order));
  if (acquires(order)) threads_[me].acquired = edge(Edge::Kind::atomic, address, pc);
}

void Detector::release_atomic(Tid me, const void* address, Order order, Pc pc,
                              bool besides) noexcept {
  Thread& thread = threads_[me];
  const auto at = reinterpret_cast<Address>(address);
  if (releases(order)) {
    release_to(sync_at(at, true, true), thread.clocks, besides);
    tick(me, edge(Edge::Kind::atomic, address, pc));
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
    for (Tid i = 0; i < n_threads_; ++i) {
      if (thread.pending[i] > thread.clocks[i]) thread.clocks[i] = thread.pending[i];
    }
    thread.has_pending = false;
    thread.acquired = edge(Edge::Kind::fence, nullptr, pc);
  }
  if (releases(order)) {
    for (Tid i = 0; i < n_threads_; ++i) thread.fence[i] = thread.clocks[i];
    thread.has_fence = true;
    tick(me, edge(Edge::Kind::fence, nullptr, pc));
  }
}

}  // namespace thrum::check
