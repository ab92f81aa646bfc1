// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Over 500 lines: one algorithm, of which no part can be judged without the others.
//
// Edges
//   [slot] publish -> look: the item in a slot, and the room it left, go with the slot's stamp.
//   [claim] claim -> look: an index moves by one read-modify-write. seq_cst: together with
//           EventCount's [sleepers] either the claimer sees the sleeper or the sleeper the claim.
//   [chain] link -> follow: a ring is made before it is linked. seq_cst: in the one order of all
//           claims a ring's link comes first, so who must see a claim sees the ring it is in.
//   [left] leave -> sort_left: a ring's place in the list of those left goes with the list.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "thrum/event_count.h"
#include "thrum/hazard.h"
#include "thrum/observed.h"
#include "thrum/queue_size.h"

namespace thrum {

/// What the indices of a ring mean; an observer reads the four as they stand here (observe.h).
struct RingNumbers {
  const std::uint64_t capacity, closed, lap;
  std::uint64_t base = 0;  // items in the rings before it; fixed before it is linked
};
static_assert(sizeof(RingNumbers) == 4 * sizeof(std::uint64_t));

/// First in, first out, without locks: a chain of rings, of which one is in use most of the time.
/// For items whose move cannot throw.
///
/// A ring is Dmitry Vyukov's bounded queue: slots with stamps, one read-modify-write per put and
/// per get; stamps count laps, as crossbeam's ArrayQueue, so that any capacity works. The bit
/// `closed` in a ring's tail ends it: then the chain ends (shutdown), or goes on with another ring
/// (no limit, or one raised above the ring's size), as in LCRQ (Morrison and Afek, 2013). The next
/// ring is twice as large, up to the limit; up to 64 KiB in a queue that began without one. There,
/// rings that were left are used again, or freed, as soon as no thread looks at them; with a limit
/// they are kept until the end, together at most as large as the last.
///
/// Progress  get never waits for a put that is half done, nor the reverse: they answer would_block.
template <class T>
class RingStore : public QueueSize<RingStore<T>> {
 public:
  /// `limit` 0: none.
  explicit RingStore(std::size_t limit) : recycles_(limit == 0), limit_(limit) {
    auto* const first = new Ring(first_capacity(limit));
    head_ring_.store(first, std::memory_order_relaxed);
    tail_ring_.store(first, std::memory_order_relaxed);
  }
  RingStore(const RingStore&) = delete;
  RingStore& operator=(const RingStore&) = delete;
  ~RingStore() {
    while (try_get([](T&&) noexcept {}, false) == Outcome::done) {
    }
    for (Ring* ring = head_ring_.load(std::memory_order_relaxed); ring != nullptr;) {
      delete std::exchange(ring, ring->next_ring());
    }
    for (Ring* ring = left_.load(std::memory_order_relaxed); ring != nullptr;) {
      delete std::exchange(ring, ring->next_left);
    }
  }

  /// Moves `item` in if there is room.
  /// Throws  std::bad_alloc if a ring must be added and cannot; nothing has changed then.
  [[gnu::always_inline]] Outcome try_put(T& item, bool slept) {
    if (recycles_) return put_with_care(item, slept);
    NoHazard hazard;
    return !slept && put_at_once(hazard, item) ? Outcome::done : put_into(hazard, item, slept);
  }

  /// Calls sink(T&&), which must not throw, with the oldest item, if there is one.
  template <class Sink>
  [[gnu::always_inline]] Outcome try_get(Sink&& sink, bool slept) noexcept {
    if (recycles_) return get_with_care(sink, slept);
    NoHazard hazard;
    return !slept && get_at_once(hazard, sink) ? Outcome::done : get_from(hazard, sink, slept);
  }

  /// Moves the first of `items` in, as many as there is room for: they follow each other in the
  /// queue, for one claim and at most one wake.
  /// Returns how many; 0 also if try_put() has to look why.
  std::size_t try_put_some(std::span<T> items) noexcept {
    if (recycles_) return put_some_with_care(items);
    NoHazard hazard;
    return put_some(hazard, items);
  }

  /// Calls sink(T&&), which must not throw, with up to `most` of the oldest items, likewise.
  /// Returns how many; 0 also if try_get() has to look why.
  template <class Sink>
  std::size_t try_get_some(Sink&& sink, std::size_t most) noexcept {
    if (recycles_) return get_some_with_care(sink, most);
    NoHazard hazard;
    return get_some(hazard, sink, most);
  }

  /// No put succeeds from now on. Idempotent.
  void close() noexcept {
    Hazard hazard;
    for (;;) {
      Ring& ring = last_ring(hazard);
      ring.closing.store(true, std::memory_order_release);         // [chain]
      ring.tail.fetch_or(ring.closed, std::memory_order_seq_cst);  // [claim]
      std::uintptr_t next = kOpen;
      if (ring.next.compare_exchange_strong(next, kEnd, std::memory_order_acq_rel,  // [chain]
                                            std::memory_order_acquire) ||           // [chain]
          next == kEnd) {
        return;
      }
    }
  }

  bool is_closed() const noexcept {
    Hazard hazard;
    const Ring& ring = last_ring(hazard);
    return ring.next.load(std::memory_order_seq_cst) == kEnd;  // [chain]
  }

  /// Returns whether a put need not sleep; a get.
  bool may_put() const noexcept { return !this->full() || is_closed(); }
  bool may_get() const noexcept { return !this->empty() || is_closed(); }

  /// Returns whether a quarter of the ring is free, or 16 slots. A putter that fills each slot as
  /// soon as it is free fights with the getters for every cache line.
  bool has_room_for_several() const noexcept {
    if (recycles_) return true;                        // never full
    const Ring& ring = NoHazard::protect(tail_ring_);  // [chain]
    const std::uint64_t several = std::clamp<std::uint64_t>(ring.capacity / 4, 1, 16);
    const std::uint64_t last = ring.further(ring.tail.load(std::memory_order_relaxed), several - 1);
    // relaxed: the put looks again. If others went on meanwhile, the stamp is a later one.
    return static_cast<std::int64_t>(ring.slot(last).stamp.load(std::memory_order_relaxed) -
                                     last) >= 0;
  }

  /// How many were ever put, and got.
  std::uint64_t puts() const noexcept {
    Hazard hazard;
    const Ring& ring = last_ring(hazard);
    return ring.puts_before(ring.tail.load(std::memory_order_seq_cst) & ~ring.closed);  // [claim]
  }
  std::uint64_t gets() const noexcept {
    if (recycles_) {
      Hazard hazard;
      return hazard.protect(head_ring_).gets();  // [chain]
    }
    return NoHazard::protect(head_ring_).gets();  // [chain]
  }
  /// Where they are, for who observes: the rings change, what is in them does not.
  QueueNumbers numbers() const noexcept {
    const Ring& ring = *head_ring_.load(std::memory_order_relaxed);
    const auto offset = [&ring](const void* field) {
      return static_cast<std::uint32_t>(static_cast<const char*>(field) -
                                        reinterpret_cast<const char*>(&ring));
    };
    return {{&tail_ring_, offset(&ring.tail), offset(&ring.capacity)},
            {&head_ring_, offset(&ring.head), offset(&ring.capacity)},
            &limit_};
  }
  std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  void set_limit(std::size_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }

  static constexpr std::size_t kLine = 64;  // bytes of a cache line

  alignas(kLine) EventCount getters;
  alignas(kLine) EventCount putters;

 private:
  static constexpr std::size_t kFirstRing = 64;         // slots, without a limit
  static constexpr std::size_t kBytes = 64 * 1024;      // at most, without a limit, or the first
  static constexpr std::size_t kLeft = 8;               // rings that may wait to be used again
  static constexpr std::size_t kClaim = 64;             // slots at once: others wait behind them
  static constexpr std::uintptr_t kOpen = 0, kEnd = 1;  // next: not known yet, none ever

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
  struct Ring : RingNumbers {
    explicit Ring(std::size_t slots_wanted)
        : RingNumbers{slots_wanted, power_of_two_above(slots_wanted),
                      2 * power_of_two_above(slots_wanted)},
          lap_bits(static_cast<std::uint64_t>(std::bit_width(lap)) - 1),
          slots(new Slot[slots_wanted]) {
      begin();
    }
    /// Makes it new, or as new once nobody looks at it.
    void begin() noexcept {
      for (std::size_t i = 0; i < capacity; ++i) {
        slots[i].stamp.store(i, std::memory_order_relaxed);
      }
      tail.store(0, std::memory_order_relaxed);
      head.store(0, std::memory_order_relaxed);
      closing.store(false, std::memory_order_relaxed);
      next.store(kOpen, std::memory_order_relaxed);
    }

    Slot& slot(std::uint64_t at) const noexcept { return slots[at & (closed - 1)]; }
    std::uint64_t after(std::uint64_t at) const noexcept {
      return (at & (closed - 1)) + 1 < capacity ? at + 1 : (at & ~(lap - 1)) + lap;
    }
    /// The index `n` slots further, of which the last is in the same lap.
    std::uint64_t after(std::uint64_t at, std::size_t n) const noexcept {
      return after(at + n - 1);
    }
    /// The index `n` slots further, where `n` is less than the capacity.
    std::uint64_t further(std::uint64_t at, std::uint64_t n) const noexcept {
      const std::uint64_t position = (at & (closed - 1)) + n;
      return position < capacity ? at + n : (at & ~(lap - 1)) + lap + position - capacity;
    }
    /// How many slots from `at` on have stamps that follow each other, from `stamp`: at most
    /// `most`, none beyond the lap's end.
    std::size_t run(std::uint64_t at, std::uint64_t stamp, std::size_t most) noexcept {
      most = std::min({most, kClaim, static_cast<std::size_t>(capacity - (at & (closed - 1)))});
      const Slot* const first = &slot(at);
      std::size_t n = 0;
      while (n < most && first[n].stamp.load(std::memory_order_acquire) == stamp + n)
        ++n;  // [slot]
      return n;
    }
    /// How many were put, in this ring and those before, before index `at` was claimed.
    std::uint64_t puts_before(std::uint64_t at) const noexcept {
      return base + (at >> lap_bits) * capacity + (at & (closed - 1));
    }
    std::uint64_t gets() const noexcept {
      return puts_before(head.load(std::memory_order_seq_cst));  // [claim]
    }
    Ring* next_ring() const noexcept {
      const std::uintptr_t link = next.load(std::memory_order_seq_cst);  // [chain]
      return link == kOpen || link == kEnd ? nullptr : reinterpret_cast<Ring*>(link);
    }

    const std::uint64_t lap_bits;
    const std::unique_ptr<Slot[]> slots;
    std::atomic<bool> closing{
        false};  // set before the bit: who finds nothing need not look at tail
    std::atomic<std::uintptr_t> next{kOpen};
    Ring* next_left = nullptr;  // in the list of those that were left
    alignas(kLine) std::atomic<std::uint64_t> tail{0};
    alignas(kLine) std::atomic<std::uint64_t> head{0};
  };

  // Out of the way of the queues that need no hazard.
  [[gnu::noinline]] Outcome put_with_care(T& item, bool slept) {
    Hazard hazard;
    return !slept && put_at_once(hazard, item) ? Outcome::done : put_into(hazard, item, slept);
  }
  template <class Sink>
  [[gnu::noinline]] Outcome get_with_care(Sink& sink, bool slept) noexcept {
    Hazard hazard;
    return !slept && get_at_once(hazard, sink) ? Outcome::done : get_from(hazard, sink, slept);
  }

  // The common case, in few instructions: the ring is the queue, there is room, nobody is faster.
  // In a closed ring no stamp is equal to the tail.
  template <class Guard>
  [[gnu::always_inline]] bool put_at_once(Guard& hazard, T& item) {
    Ring& ring = hazard.protect(tail_ring_);  // [chain]
    std::uint64_t at = ring.tail.load(std::memory_order_relaxed);
    Slot& slot = ring.slot(at);
    const std::size_t limit = limit_.load(std::memory_order_relaxed);
    if ((limit != 0 && !is_exact(ring, limit)) ||
        slot.stamp.load(std::memory_order_acquire) != at ||  // [slot]
        !claim(ring.tail, at, ring)) {
      return false;
    }
    fill(slot, at, item, false);
    return true;
  }
  template <class Guard, class Sink>
  [[gnu::always_inline]] bool get_at_once(Guard& hazard, Sink& sink) noexcept {
    Ring& ring = hazard.protect(head_ring_);  // [chain]
    std::uint64_t at = ring.head.load(std::memory_order_relaxed);
    Slot& slot = ring.slot(at);
    if (slot.stamp.load(std::memory_order_acquire) != at + 1 ||  // [slot]
        !claim(ring.head, at, ring)) {
      return false;
    }
    drain(slot, at + ring.lap, sink, false);
    return true;
  }

  // Whether this ring is the queue and as large as the limit: then a slot's stamp tells whether
  // there is room, and nobody needs to look at the getters' index.
  bool is_exact(const Ring& ring, std::size_t limit) const noexcept {
    return limit == ring.capacity && head_ring_.load(std::memory_order_relaxed) == &ring;
  }
  // Returns whether the caller moved the index on; else `at` is where it is.
  [[gnu::always_inline]] static bool claim(std::atomic<std::uint64_t>& index, std::uint64_t& at,
                                           const Ring& ring) noexcept {
    return index.compare_exchange_weak(at, ring.after(at), std::memory_order_seq_cst,  // [claim]
                                       std::memory_order_relaxed);
  }
  // Moves an item into a slot that was claimed, or out of it.
  [[gnu::always_inline]] void fill(Slot& slot, std::uint64_t at, T& item, bool slept) noexcept {
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
  }
  template <class Sink>
  [[gnu::always_inline]] void drain(Slot& slot, std::uint64_t next_lap, Sink& sink,
                                    bool slept) noexcept {
    const bool wake_putter = putters.announce();
    const bool wake_getter = slept && !this->empty() && getters.announce();
    const Word* const getter = getters.address();
    const Word* const putter = putters.address();
    sink(std::move(slot.item));
    std::destroy_at(&slot.item);
    slot.stamp.store(next_lap, std::memory_order_release);  // [slot]
    if (wake_putter) [[unlikely]]
      EventCount::wake(putter);
    if (wake_getter) [[unlikely]]
      EventCount::wake(getter);
  }

  template <class Guard>
  [[gnu::noinline]] Outcome put_into(Guard& hazard, T& item, bool slept) {
    for (;;) {
      Ring& ring = hazard.protect(tail_ring_);  // [chain]
      std::uint64_t at = ring.tail.load(std::memory_order_relaxed);
      while ((at & ring.closed) == 0) {
        const std::size_t limit = limit_.load(std::memory_order_relaxed);
        const bool exact = is_exact(ring, limit);
        if (!exact && limit != 0 && ring.puts_before(at) - gets() >= limit) {
          const std::uint64_t now = ring.tail.load(std::memory_order_relaxed);
          if (now == at) return Outcome::would_block;
          at = now;
          continue;
        }
        Slot& slot = ring.slot(at);
        const std::uint64_t stamp = slot.stamp.load(std::memory_order_acquire);  // [slot]
        if (stamp == at) {
          if (claim(ring.tail, at, ring)) {
            fill(slot, at, item, slept);
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

  template <class Guard, class Sink>
  [[gnu::noinline]] Outcome get_from(Guard& hazard, Sink& sink, bool slept) noexcept {
    for (;;) {
      Ring& ring = hazard.protect(head_ring_);  // [chain]
      std::uint64_t at = ring.head.load(std::memory_order_relaxed);
      for (;;) {
        Slot& slot = ring.slot(at);
        const std::uint64_t stamp = slot.stamp.load(std::memory_order_acquire);  // [slot]
        if (stamp == at + 1) {
          if (claim(ring.head, at, ring)) {
            drain(slot, at + ring.lap, sink, slept);
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
      auto* const following = reinterpret_cast<Ring*>(next);
      advance(tail_ring_, ring, following);  // or putters would still find it
      if (advance(head_ring_, ring, following)) leave(ring);
    }
  }

  [[gnu::noinline]] std::size_t put_some_with_care(std::span<T> items) noexcept {
    Hazard hazard;
    return put_some(hazard, items);
  }
  template <class Sink>
  [[gnu::noinline]] std::size_t get_some_with_care(Sink& sink, std::size_t most) noexcept {
    Hazard hazard;
    return get_some(hazard, sink, most);
  }

  // A slot whose stamp says that it is free for index `at` stays so until `at` is claimed. So if
  // slots in a row are free and the tail still stands before them, one compare-exchange claims all.
  template <class Guard>
  std::size_t put_some(Guard& hazard, std::span<T> items) noexcept {
    Ring& ring = hazard.protect(tail_ring_);  // [chain]
    std::uint64_t at = ring.tail.load(std::memory_order_relaxed);
    while ((at & ring.closed) == 0) {
      std::size_t most = items.size();
      const std::size_t limit = limit_.load(std::memory_order_relaxed);
      if (limit != 0 && !is_exact(ring, limit)) {
        // Of an old tail that may be more than all: then it is for try_put() as well.
        const std::uint64_t size = ring.puts_before(at) - gets();
        if (size >= limit) return 0;
        most = std::min(most, static_cast<std::size_t>(limit - size));
      }
      const std::size_t n = ring.run(at, at, most);
      if (n == 0) return 0;
      std::uint64_t stamp = at + 1;
      Slot* const slots = &ring.slot(at);
      if (!ring.tail.compare_exchange_weak(at, ring.after(at, n),
                                           std::memory_order_seq_cst,  // [claim]
                                           std::memory_order_relaxed)) {
        continue;
      }
      const bool wake_getter = getters.announce();
      const Word* const getter = getters.address();
      for (std::size_t i = 0; i < n; ++i) {
        std::construct_at(&slots[i].item, std::move(items[i]));
        slots[i].stamp.store(stamp++, std::memory_order_release);  // [slot]
      }
      // Only addresses from here on: who gets the last item may destroy the queue.
      if (wake_getter) EventCount::wake(getter);
      return n;
    }
    return 0;
  }

  // The same from the other side: an item that is there for index `at` stays until that is claimed.
  template <class Guard, class Sink>
  std::size_t get_some(Guard& hazard, Sink& sink, std::size_t most) noexcept {
    Ring& ring = hazard.protect(head_ring_);  // [chain]
    std::uint64_t at = ring.head.load(std::memory_order_relaxed);
    for (;;) {
      const std::size_t n = ring.run(at, at + 1, most);
      if (n == 0) return 0;
      std::uint64_t stamp = at + ring.lap;
      Slot* const slots = &ring.slot(at);
      if (!ring.head.compare_exchange_weak(at, ring.after(at, n),
                                           std::memory_order_seq_cst,  // [claim]
                                           std::memory_order_relaxed)) {
        continue;
      }
      const bool wake_putter = putters.announce();
      const Word* const putter = putters.address();
      for (std::size_t i = 0; i < n; ++i) {
        sink(std::move(slots[i].item));
        std::destroy_at(&slots[i].item);
        slots[i].stamp.store(stamp++, std::memory_order_release);  // [slot]
      }
      if (wake_putter) EventCount::wake(putter);
      return n;
    }
  }

  static std::uint64_t power_of_two_above(std::uint64_t n) noexcept {
    std::uint64_t power = 1;
    while (power <= n) power *= 2;
    return power;
  }
  static std::size_t first_capacity(std::size_t limit) noexcept {
    if (limit == 0) return kFirstRing;
    return std::min(limit, std::max(kFirstRing, std::size_t{kBytes / sizeof(Slot)}));
  }

  // The ring that puts go to now, even if nobody has moved tail_ring_ there yet.
  Ring& last_ring(Hazard& hazard) const noexcept {
    for (;;) {
      Ring& ring = hazard.protect(tail_ring_);  // [chain]
      Ring* const next = ring.next_ring();
      if (next == nullptr) return ring;
      advance(tail_ring_, ring, next);
    }
  }

  // Returns whether the caller is the one who did.
  static bool advance(std::atomic<Ring*>& from, Ring& ring, Ring* next) noexcept {
    Ring* expected = &ring;
    return from.compare_exchange_strong(expected, next, std::memory_order_seq_cst,  // [chain]
                                        std::memory_order_relaxed);
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
    advance(tail_ring_, ring, reinterpret_cast<Ring*>(next));
    return true;
  }

  std::unique_ptr<Ring> successor(const Ring& ring, std::size_t limit) {
    std::size_t capacity = ring.capacity <= SIZE_MAX / 4 ? 2 * ring.capacity : ring.capacity;
    if (limit == 0 && recycles_) capacity = std::min(capacity, first_capacity(SIZE_MAX));
    if (limit > ring.capacity) capacity = std::min(capacity, limit);
    if (std::unique_ptr<Ring> used = sort_left(capacity)) {
      used->begin();
      return used;
    }
    return std::make_unique<Ring>(capacity);
  }

  // The ring is out of the chain; a thread that found it there may still look at it.
  void leave(Ring& ring) noexcept {
    push_left(ring);
    if (left_count_.load(std::memory_order_relaxed) > kLeft) (void)sort_left(0);
  }
  void push_left(Ring& ring) noexcept {
    left_count_.fetch_add(1, std::memory_order_relaxed);
    ring.next_left = left_.load(std::memory_order_relaxed);
    while (!left_.compare_exchange_weak(ring.next_left, &ring, std::memory_order_release,  // [left]
                                        std::memory_order_relaxed)) {
    }
  }

  // Looks through the rings that were left. Returns one of so many slots that nobody looks at any
  // more, or null; of the others that nobody looks at keeps kLeft / 2 and frees the rest.
  std::unique_ptr<Ring> sort_left(std::size_t capacity) noexcept {
    if (!recycles_ || left_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    std::array<void*, 2 * kLeft> found;
    std::size_t n = 0;
    Ring* ring = left_.exchange(nullptr, std::memory_order_acquire);  // [left]
    while (ring != nullptr) {
      Ring& one = *std::exchange(ring, ring->next_left);
      left_count_.fetch_sub(1, std::memory_order_relaxed);
      if (n < found.size()) {
        found[n++] = &one;
      } else {
        push_left(one);
      }
    }
    const std::size_t free = Hazard::unprotected(std::span(found).first(n));
    std::unique_ptr<Ring> wanted;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < n; ++i) {
      std::unique_ptr<Ring> one(static_cast<Ring*>(found[i]));
      if (i < free && wanted == nullptr && one->capacity == capacity) {
        wanted = std::move(one);
      } else if (i >= free || kept++ < kLeft / 2) {
        push_left(*one.release());
      }
    }
    return wanted;
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

  // With putters, which nobody waits in where rings are left.
  std::atomic<Ring*> left_{nullptr};
  std::atomic<std::size_t> left_count_{0};
  // Read by every put and get, written rarely.
  alignas(kLine) const bool recycles_;  // rings that were left; else they are kept until the end
  std::atomic<std::size_t> limit_;
  std::atomic<Ring*> head_ring_;
  mutable std::atomic<Ring*> tail_ring_;  // may lag behind: whoever sees that moves it on
};

}  // namespace thrum
