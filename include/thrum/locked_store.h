// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Edges
//   [count] put, get -> look: who sees a counter, or the end, from outside sees what was counted
//           before it. Nobody falls asleep for what was seen so: may_put() and may_get() look under
//           the lock, under which those who change the queue ask for sleepers. Of two such sections
//           either the later one sees the change, or the change comes later and sees the sleeper.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "thrum/errors.h"
#include "thrum/event_count.h"
#include "thrum/lock.h"
#include "thrum/observed.h"
#include "thrum/queue_size.h"

namespace thrum {

/// First in, first out.
template <class T>
class FifoItems {
 public:
  void push(T& item) { items_.push_back(std::move(item)); }
  T& next() noexcept { return items_.front(); }
  void pop() noexcept { items_.pop_front(); }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  std::deque<T> items_;
};

/// Last in, first out.
template <class T>
class LifoItems {
 public:
  void push(T& item) { items_.push_back(std::move(item)); }
  T& next() noexcept { return items_.back(); }
  void pop() noexcept { items_.pop_back(); }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  std::deque<T> items_;  // not a vector: growing one moves what is in it, which may throw
};

/// Smallest first: a binary heap whose comparisons, which may throw, all come before its moves,
/// which cannot (items that might are kept behind a pointer).
template <class T, class Compare>
class HeapItems {
 public:
  explicit HeapItems(Compare less = {}) : less_(std::move(less)) {}

  void push(T& item) {
    // Room first: nothing has changed if there is no memory.
    if (items_.size() == items_.capacity()) {
      const std::size_t room = std::max<std::size_t>(16, 2 * size());
      way_.reserve(static_cast<std::size_t>(std::bit_width(room)));
      items_.reserve(room);
    }
    std::size_t hole = items_.size();
    while (hole != 0 && less_(std::as_const(item), look((hole - 1) / 2))) hole = (hole - 1) / 2;
    items_.push_back(box(item));
    // The path from the new leaf up to the hole moves down by one.
    Box added = std::move(items_.back());
    std::size_t at = items_.size() - 1;
    for (; at != hole; at = (at - 1) / 2) items_[at] = std::move(items_[(at - 1) / 2]);
    items_[hole] = std::move(added);
  }

  /// Finds the way the hole at the top will sink; may throw if a comparison does, changes nothing.
  T& next() noexcept(std::is_nothrow_invocable_v<Compare&, const T&, const T&>) {
    way_.clear();
    const std::size_t last = items_.size() - 1;
    for (std::size_t at = 0;;) {
      std::size_t child = 2 * at + 1;
      if (child >= last) break;  // the last item leaves its place, so it is not a child
      if (child + 1 < last && less_(look(child + 1), look(child))) ++child;
      if (!less_(look(child), look(last))) break;
      way_.push_back(child);
      at = child;
    }
    return unbox(items_.front());
  }
  void pop() noexcept {
    std::size_t hole = 0;
    for (const std::size_t child : way_) {
      items_[hole] = std::move(items_[child]);
      hole = child;
    }
    if (hole != items_.size() - 1) items_[hole] = std::move(items_.back());
    items_.pop_back();
  }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  static constexpr bool kBoxed =
      !std::is_nothrow_move_constructible_v<T> || !std::is_nothrow_move_assignable_v<T>;
  using Box = std::conditional_t<kBoxed, std::unique_ptr<T>, T>;

  static Box box(T& item) {
    if constexpr (kBoxed) {
      return std::make_unique<T>(std::move(item));
    } else {
      return std::move(item);
    }
  }
  static T& unbox(Box& box) noexcept {
    if constexpr (kBoxed) {
      return *box;
    } else {
      return box;
    }
  }
  const T& look(std::size_t at) const noexcept { return unbox(const_cast<Box&>(items_[at])); }

  std::vector<Box> items_;
  std::vector<std::size_t> way_;  // of the hole that next() made; has room for the deepest
  Compare less_;
};

/// Any order, under a lock: for orders that have no better, and for items whose move may throw.
/// What an item's move, copy or comparison throws leaves put() or get() as if not called.
template <class T, class Items>
class LockedStore : public QueueSize<LockedStore<T, Items>> {
 public:
  explicit LockedStore(std::size_t limit, Items items = Items())
      : items_(std::move(items)), limit_(limit) {}
  LockedStore(const LockedStore&) = delete;
  LockedStore& operator=(const LockedStore&) = delete;

  /// Moves `item` in if there is room.
  /// Throws  what moving, comparing or allocating throws; nothing has changed then.
  Outcome try_put(T& item, bool slept) {
    bool wake_getter = false;
    bool wake_putter = false;
    const Word* const getter = getters.address();
    const Word* const putter = putters.address();
    {
      acquire();
      const Guard release(lock_, std::adopt_lock);
      if (is_closed()) return Outcome::closed;
      if (this->full()) return Outcome::would_block;
      items_.push(item);
      puts_.store(puts_.load(std::memory_order_relaxed) + 1, std::memory_order_release);  // [count]
      wake_getter = getters.announce();
      wake_putter = slept && !this->full() && putters.announce();
    }
    // Only addresses from here on: who gets the item may destroy the queue.
    if (wake_getter) EventCount::wake(getter);
    if (wake_putter) EventCount::wake(putter);
    return Outcome::done;
  }

  /// Takes the next item out, in three steps: lock and look, move from next(), and at the end of
  /// its scope, unless an exception leaves it, remove and wake.
  class Removal {
   public:
    explicit Removal(LockedStore& store, bool slept) : store_(store), slept_(slept) {
      store.acquire();
    }
    ~Removal() {
      const bool taken = found_ && exceptions() == exceptions_;
      const Word* const getter = store_.getters.address();
      const Word* const putter = store_.putters.address();
      if (taken) {
        store_.items_.pop();
        store_.gets_.store(store_.gets_.load(std::memory_order_relaxed) + 1,
                           std::memory_order_release);  // [count]
      }
      const bool wake_putter = taken && store_.putters.announce();
      const bool wake_getter = slept_ && !store_.empty() && store_.getters.announce();
      store_.lock_.release();
      if (wake_putter) EventCount::wake(putter);
      if (wake_getter) EventCount::wake(getter);
    }
    Removal(const Removal&) = delete;
    Removal& operator=(const Removal&) = delete;

    bool empty() const noexcept { return store_.items_.size() == 0; }
    T&& next() {
      T& item = store_.items_.next();
      found_ = true;
      return std::move(item);
    }

   private:
    // Counting them takes longer than all the rest, where none can come.
    static int exceptions() noexcept {
      constexpr bool kQuiet =
          std::is_nothrow_move_constructible_v<T> && noexcept(std::declval<Items&>().next());
      return kQuiet ? 0 : std::uncaught_exceptions();
    }

    LockedStore& store_;
    const bool slept_;
    const int exceptions_ = exceptions();
    bool found_ = false;
  };

  /// Calls sink(T&&) with the next item, if there is one; it is removed unless that throws.
  template <class Sink>
  Outcome try_get(Sink&& sink, bool slept) {
    Removal removal(*this, slept);
    if (removal.empty()) return is_closed() ? Outcome::closed : Outcome::would_block;
    sink(removal.next());
    return Outcome::done;
  }

  /// One at a time here: each may throw, and then those before it have been put or got.
  static std::size_t try_put_some(std::span<T>) noexcept { return 0; }
  template <class Sink>
  static std::size_t try_get_some(Sink&&, std::size_t) noexcept {
    return 0;
  }

  /// No put succeeds from now on. Idempotent.
  void close() {
    acquire();
    const Guard release(lock_, std::adopt_lock);
    closed_.store(true, std::memory_order_release);  // [count]
  }
  bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }  // [count]

  /// Returns whether a put need not sleep; a get.
  bool may_put() {
    acquire();
    const Guard release(lock_, std::adopt_lock);
    return !this->full() || is_closed();
  }
  bool may_get() {
    acquire();
    const Guard release(lock_, std::adopt_lock);
    return !this->empty() || is_closed();
  }

  /// One lock is taken for each anyway.
  static constexpr bool has_room_for_several() noexcept { return true; }

  std::uint64_t puts() const noexcept { return puts_.load(std::memory_order_acquire); }  // [count]
  std::uint64_t gets() const noexcept { return gets_.load(std::memory_order_acquire); }  // [count]

  /// Where they are, for who observes.
  QueueNumbers numbers() const noexcept { return {{&puts_, 0, 0}, {&gets_, 0, 0}, &limit_}; }

  std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  void set_limit(std::size_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }

  EventCount getters;
  EventCount putters;

 private:
  void acquire() THRUM_TSA(acquire_capability(lock_)) {
    // Only an item's own code, called by us, can come back here.
    if (lock_.holder() == self().native_id) {
      throw_usage_error(
          "thrum::Queue: an item called its own queue while that moved or compared it, use another "
          "thread or another queue");
    }
    lock_.acquire();
  }

  Lock lock_;
  Items items_;  // guarded by lock_
  std::atomic<std::size_t> limit_;
  std::atomic<std::uint64_t> puts_{0};  // written under lock_
  std::atomic<std::uint64_t> gets_{0};  // written under lock_
  std::atomic<bool> closed_{false};     // written under lock_
};

}  // namespace thrum
