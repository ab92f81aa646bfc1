// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [slot] publish -> look: the item in a slot, and the room it left, go with the slot's stamp.
//   [claim] claim -> look: an index moves by one read-modify-write. seq_cst: together with
//           EventCount's [sleepers] either the claimer sees the sleeper or the sleeper the claim.
//   [chain] link -> follow: a ring is made before it is linked. seq_cst: in the one order of all
//           claims a ring's link comes first, so who must see a claim sees the ring it is in.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "thrum/event_count.h"
#include "thrum/queue_size.h"

namespace thrum {

/// First in, first out, without locks: a chain of rings, of which one is in use most of the time.
/// For items whose move cannot throw.
///
/// A ring is Dmitry Vyukov's bounded queue: slots with stamps, one read-modify-write per put and
/// per get; stamps count laps, as crossbeam's ArrayQueue, so that any capacity works. The bit
/// `closed` in a ring's tail ends it: then the chain ends (shutdown), or goes on with a ring twice
/// as large (no limit, or one raised above the ring's size), as in LCRQ (Morrison and Afek, 2013).
/// Rings that were left are kept until the end: together at most as large as the last.
///
/// Progress  get never waits for a put that is half done, nor the reverse: they answer would_block.
template <class T>
class RingStore : public QueueSize<RingStore<T>> {
 public:
  /// `limit` 0: none.
  explicit RingStore(std::size_t limit) : limit_(limit) {
    first_ = new Ring(first_capacity(limit));
    head_ring_.store(first_, std::memory_order_relaxed);
    tail_ring_.store(first_, std::memory_order_relaxed);
  }
  RingStore(const RingStore&) = delete;
  RingStore& operator=(const RingStore&) = delete;
  ~RingStore() {
    while (try_get([](T&&) noexcept {}, false) == Outcome::done) {
    }
    for (Ring* ring = first_; ring != nullptr;) {
      Ring* const next = ring->next_ring();
      delete ring;
      ring = next;
    }
  }

  /// Moves `item` in if there is room.
  /// Throws  std::bad_alloc if a ring must be added and cannot; nothing has changed then.
  Outcome try_put(T& item, bool slept) {
    for (;;) {
      Ring& ring = *tail_ring_.load(std::memory_order_seq_cst);  // [chain]
      std::uint64_t at = ring.tail.load(std::memory_order_relaxed);
      while ((at & ring.closed) == 0) {
        const std::size_t limit = limit_.load(std::memory_order_relaxed);
        // The common case, this ring is the queue and as large as the limit, needs no look at the
        // getters' index: the slot's stamp tells.
        const bool exact =
            limit == ring.capacity && head_ring_.load(std::memory_order_relaxed) == &ring;
        if (!exact && limit != 0 && ring.puts_before(at) - gets() >= limit) {
          const std::uint64_t now = ring.tail.load(std::memory_order_relaxed);
          if (now == at) return Outcome::would_block;
          at = now;
          continue;
        }
        Slot& slot = ring.slot(at);
        const std::uint64_t stamp = slot.stamp.load(std::memory_order_acquire);  // [slot]
        if (stamp == at) {
          if (ring.tail.compare_exchange_weak(at, ring.after(at),
                                              std::memory_order_seq_cst,  // [claim]
                                              std::memory_order_relaxed)) {
            const bool wake_getter = getters.announce();
            const bool wake_putter = slept && !this->full() && putters.announce();
            const Word* const getter = getters.address();
            const Word* const putter = putters.address();
            std::construct_at(&slot.item, std::move(item));
            slot.stamp.store(at + 1, std::memory_order_release);  // [slot]
            // Only addresses from here on: who gets the item may destroy the queue.
            if (wake_getter) [[unlikely]]
              EventCount::wake(getter);
            if (wake_putter) [[unlikely]]
              EventCount::wake(putter);
            return Outcome::done;
          }
        } else if (static_cast<std::int64_t>(stamp - at) < 0) {
          // The slot still holds what was put a lap ago.
          const std::uint64_t now = ring.tail.load(std::memory_order_relaxed);
          if (now == at) {
            if (exact) return Outcome::would_block;
            close(ring, limit);
            break;
          }
          at = now;
        } else {
          at = ring.tail.load(std::memory_order_relaxed);
        }
      }
      if (!follow(ring)) return Outcome::closed;
    }
  }

  /// Calls sink(T&&), which must not throw, with the oldest item, if there is one.
  template <class Sink>
  Outcome try_get(Sink&& sink, bool slept) noexcept {
    for (;;) {
      Ring& ring = *head_ring_.load(std::memory_order_seq_cst);  // [chain]
      std::uint64_t at = ring.head.load(std::memory_order_relaxed);
      for (;;) {
        Slot& slot = ring.slot(at);
        const std::uint64_t stamp = slot.stamp.load(std::memory_order_acquire);  // [slot]
        if (stamp == at + 1) {
          if (ring.head.compare_exchange_weak(at, ring.after(at),
                                              std::memory_order_seq_cst,  // [claim]
                                              std::memory_order_relaxed)) {
            const bool wake_putter = putters.announce();
            const bool wake_getter = slept && !this->empty() && getters.announce();
            const Word* const getter = getters.address();
            const Word* const putter = putters.address();
            sink(std::move(slot.item));
            std::destroy_at(&slot.item);
            slot.stamp.store(at + ring.lap, std::memory_order_release);  // [slot]
            if (wake_putter) [[unlikely]]
              EventCount::wake(putter);
            if (wake_getter) [[unlikely]]
              EventCount::wake(getter);
            return Outcome::done;
          }
        } else if (static_cast<std::int64_t>(stamp - (at + 1)) < 0) {
          const std::uint64_t now = ring.head.load(std::memory_order_relaxed);
          if (now != at) {
            at = now;
            continue;
          }
          if (!ring.closing.load(std::memory_order_acquire))
            return Outcome::would_block;                                         // [chain]
          const std::uint64_t tail = ring.tail.load(std::memory_order_seq_cst);  // [claim]
          if ((tail & ~ring.closed) != at || (tail & ring.closed) == 0) return Outcome::would_block;
          break;  // closed and empty
        } else {
          at = ring.head.load(std::memory_order_relaxed);
        }
      }
      const std::uintptr_t next = ring.next.load(std::memory_order_seq_cst);  // [chain]
      if (next == kEnd) return Outcome::closed;
      if (next == kOpen) return Outcome::would_block;  // a putter is about to link it
      Ring* expected = &ring;
      head_ring_.compare_exchange_strong(expected, reinterpret_cast<Ring*>(next),
                                         std::memory_order_seq_cst,  // [chain]
                                         std::memory_order_relaxed);
    }
  }

  /// No put succeeds from now on. Idempotent.
  void close() noexcept {
    for (Ring* ring = tail_ring_.load(std::memory_order_seq_cst);;) {  // [chain]
      ring->closing.store(true, std::memory_order_release);            // [chain]
      ring->tail.fetch_or(ring->closed, std::memory_order_seq_cst);    // [claim]
      std::uintptr_t next = kOpen;
      if (ring->next.compare_exchange_strong(next, kEnd, std::memory_order_acq_rel,  // [chain]
                                             std::memory_order_acquire) ||           // [chain]
          next == kEnd) {
        return;
      }
      ring = reinterpret_cast<Ring*>(next);
    }
  }

  bool is_closed() const noexcept {
    const Ring& ring = last_ring();
    return ring.next.load(std::memory_order_seq_cst) == kEnd;  // [chain]
  }

  /// How many were ever put, and got.
  std::uint64_t puts() const noexcept {
    const Ring& ring = last_ring();
    return ring.puts_before(ring.tail.load(std::memory_order_seq_cst) & ~ring.closed);  // [claim]
  }
  std::uint64_t gets() const noexcept {
    const Ring& ring = *head_ring_.load(std::memory_order_seq_cst);      // [chain]
    return ring.puts_before(ring.head.load(std::memory_order_seq_cst));  // [claim]
  }
  std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  void set_limit(std::size_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }

  static constexpr std::size_t kLine = 64;  // bytes of a cache line

  alignas(kLine) EventCount getters;
  alignas(kLine) EventCount putters;

 private:
  static constexpr std::size_t kFirstRing = 64;          // slots, without a limit
  static constexpr std::size_t kFirstBytes = 64 * 1024;  // at most, with a large one
  static constexpr std::uintptr_t kOpen = 0, kEnd = 1;   // next: not known yet, none ever

  // stamp     | the slot
  // at        | is free for the put that claims index `at`
  // at + 1    | holds what that put moved in
  // at + lap  | is free again, for the next lap
  struct Slot {
    Slot() noexcept {}  // NOLINT(modernize-use-equals-default): the union has none
    ~Slot() {}          // NOLINT(modernize-use-equals-default): the same
    std::atomic<std::uint64_t> stamp{0};
    union {
      T item;
    };
  };

  // An index is lap number * lap + [closed] + position; `closed` is a power of two above capacity.
  struct Ring {
    explicit Ring(std::size_t slots_wanted)
        : capacity(slots_wanted),
          closed(power_of_two_above(slots_wanted)),
          lap(2 * closed),
          slots(new Slot[slots_wanted]) {
      for (std::size_t i = 0; i < capacity; ++i) {
        slots[i].stamp.store(i, std::memory_order_relaxed);
      }
    }

    Slot& slot(std::uint64_t at) noexcept { return slots[at & (closed - 1)]; }
    std::uint64_t after(std::uint64_t at) const noexcept {
      return (at & (closed - 1)) + 1 < capacity ? at + 1 : (at & ~(lap - 1)) + lap;
    }
    /// How many were put, in this ring and those before, before index `at` was claimed.
    std::uint64_t puts_before(std::uint64_t at) const noexcept {
      return base + at / lap * capacity + (at & (closed - 1));
    }
    Ring* next_ring() const noexcept {
      const std::uintptr_t link = next.load(std::memory_order_seq_cst);  // [chain]
      return link == kOpen || link == kEnd ? nullptr : reinterpret_cast<Ring*>(link);
    }

    const std::size_t capacity;
    const std::uint64_t closed;
    const std::uint64_t lap;
    std::uint64_t base = 0;  // fixed before the ring is linked
    const std::unique_ptr<Slot[]> slots;
    std::atomic<bool> closing{
        false};  // set before the bit: who finds nothing need not look at tail
    std::atomic<std::uintptr_t> next{kOpen};
    alignas(kLine) std::atomic<std::uint64_t> tail{0};
    alignas(kLine) std::atomic<std::uint64_t> head{0};
  };

  static std::uint64_t power_of_two_above(std::uint64_t n) noexcept {
    std::uint64_t power = 1;
    while (power <= n) power *= 2;
    return power;
  }
  static std::size_t first_capacity(std::size_t limit) noexcept {
    if (limit == 0) return kFirstRing;
    return std::min(limit, std::max(kFirstRing, std::size_t{kFirstBytes / sizeof(Slot)}));
  }

  // The ring that puts go to now, even if nobody has moved tail_ring_ there yet.
  const Ring& last_ring() const noexcept {
    const Ring* ring = tail_ring_.load(std::memory_order_seq_cst);  // [chain]
    while (const Ring* next = ring->next_ring()) ring = next;
    return *ring;
  }

  // Ends a full ring, with its successor ready: if there is no memory, nothing has happened.
  void close(Ring& ring, std::size_t limit) {
    std::unique_ptr<Ring> next = successor(ring, limit);
    ring.closing.store(true, std::memory_order_release);         // [chain]
    ring.tail.fetch_or(ring.closed, std::memory_order_seq_cst);  // [claim]
    link(ring, std::move(next));
  }

  // Moves on from a closed ring. Returns false if the chain ends here.
  bool follow(Ring& ring) {
    if (ring.next.load(std::memory_order_seq_cst) == kOpen) {  // [chain]
      link(ring, successor(ring, limit_.load(std::memory_order_relaxed)));
    }
    const std::uintptr_t next = ring.next.load(std::memory_order_seq_cst);  // [chain]
    if (next == kEnd) return false;
    Ring* expected = &ring;
    tail_ring_.compare_exchange_strong(expected, reinterpret_cast<Ring*>(next),
                                       std::memory_order_seq_cst,  // [chain]
                                       std::memory_order_relaxed);
    return true;
  }

  std::unique_ptr<Ring> successor(const Ring& ring, std::size_t limit) {
    std::size_t capacity = ring.capacity <= SIZE_MAX / 4 ? 2 * ring.capacity : ring.capacity;
    if (limit > ring.capacity) capacity = std::min(capacity, limit);
    return std::make_unique<Ring>(capacity);
  }

  // Links `next` behind a closed ring, unless somebody was faster.
  void link(Ring& ring, std::unique_ptr<Ring> next) noexcept {
    const std::uint64_t tail = ring.tail.load(std::memory_order_seq_cst) & ~ring.closed;  // [claim]
    next->base = ring.puts_before(tail);
    std::uintptr_t open = kOpen;
    if (ring.next.compare_exchange_strong(open, reinterpret_cast<std::uintptr_t>(next.get()),
                                          std::memory_order_seq_cst,  // [chain]
                                          std::memory_order_relaxed)) {
      (void)next.release();
    }
  }

  // Read by every put and get, written rarely.
  alignas(kLine) std::atomic<std::size_t> limit_;
  std::atomic<Ring*> head_ring_;
  std::atomic<Ring*> tail_ring_;
  Ring* first_;
};

}  // namespace thrum
