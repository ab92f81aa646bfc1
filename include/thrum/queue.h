// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "thrum/config.h"
#include "thrum/deadline.h"
#include "thrum/errors.h"
#include "thrum/event_count.h"
#include "thrum/locked_store.h"
#include "thrum/observed.h"
#include "thrum/ring_store.h"
#include "thrum/task_count.h"

namespace thrum {

struct QueueOptions {
  std::int64_t maxsize = 0;  ///< items at most; zero and negative: no limit
  std::string name{};        ///< for dump() and `thrum watch`
};

/// What Queue, LifoQueue and PriorityQueue have in common; they differ in the order of items only.
///
/// Passes items between threads. put() blocks while the queue is full, get() while it is empty.
/// Whoever got an item calls task_done() when the work is finished; join() waits for all of it.
/// shutdown() ends the queue: what is in it can still be got.
///
/// Items need a move constructor. What it throws, or a comparison, leaves the queue as it was: no
/// item is lost or doubled, no wake-up swallowed. The thread that got an item, and the one whose
/// join() returned, may destroy the queue, even while the other side's call is returning.
/// Memory: 64 KiB of slots at first if maxsize asks for more, then it doubles as needed; without a
/// maxsize, Queue goes on by 64 KiB and frees what a burst has left behind.
template <class T, class Store>
class BasicQueue {
 public:
  explicit BasicQueue(std::int64_t maxsize = 0) : BasicQueue(QueueOptions{maxsize, {}}) {}
  explicit BasicQueue(QueueOptions options)
      : store_(limit_of(options.maxsize)), name_(std::move(options.name)) {
    queue_begins(this, name_or_null(), store_.numbers());
  }
  ~BasicQueue() { queue_ends(this); }
  BasicQueue(const BasicQueue&) = delete;
  BasicQueue& operator=(const BasicQueue&) = delete;

  /// Puts an item in; blocks while the queue is full.
  /// Throws  ShutDown if the queue was shut down; what T's move or comparison throws. The item is
  ///         not moved from then, as far as T's move allows.
  /// Order   before the get() that returns the item.
  /// Cost    one compare-exchange; a system call if somebody sleeps in get().
  void put(T&& item) {
    if (offer(item) == Outcome::closed) {
      throw_shut_down("thrum::Queue::put: the queue is shut down, nothing more can be put");
    }
  }
  void put(const T& item)
    requires std::copy_constructible<T>
  {
    put(T(item));
  }

  /// The same, giving up at `deadline`.
  /// Returns whether the item is in. False if time was up, stop was requested, or the queue was
  ///         shut down: see is_shutdown(). The item is not moved from then.
  [[nodiscard]] bool put(T&& item, const Deadline& deadline) {
    return offer(item, &deadline) == Outcome::done;
  }
  [[nodiscard]] bool put(const T& item, const Deadline& deadline)
    requires std::copy_constructible<T>
  {
    return put(T(item), deadline);
  }

  /// Takes an item out; blocks while the queue is empty.
  /// Throws  ShutDown if the queue was shut down and is empty; what T's move or comparison throws.
  /// Order   after the put() of that item.
  /// Cost    one compare-exchange; a system call if somebody sleeps in put().
  T get() {
    if constexpr (kThrows) {
      for (bool slept = false;; slept = true) {
        {
          typename Store::Removal removal(store_, slept);
          if (!removal.empty()) return T(removal.next());
        }
        if (await_item() == Outcome::closed) no_more();
      }
    } else {
      std::optional<T> item;
      if (!next(item)) no_more();
      return std::move(*item);
    }
  }

  /// The same, giving up at `deadline`.
  /// Returns nothing if time was up, stop was requested, or the queue was shut down and is empty.
  [[nodiscard]] std::optional<T> get(const Deadline& deadline) {
    std::optional<T> item;
    (void)take([&](T&& next) { item.emplace(std::move(next)); }, &deadline);
    return item;
  }

  /// Puts all items in, in order; they are moved from. Blocks while the queue is full.
  /// Throws  as put(), with a part of the items put.
  /// Cost    one compare-exchange for up to 64 items, if their move cannot throw and they need no
  ///         other order.
  void put_bulk(std::span<T> items) {
    while (!items.empty()) {
      std::size_t n = store_.try_put_some(items);
      if (n == 0) {
        put(std::move(items.front()));
        n = 1;
      }
      items = items.subspan(n);
    }
  }
  /// The same, giving up at `deadline`.
  /// Returns how many of them, from the first, are in; the others are not moved from.
  [[nodiscard]] std::size_t put_bulk(std::span<T> items, const Deadline& deadline) {
    std::size_t n = 0;
    while (n < items.size()) {
      if (const std::size_t some = store_.try_put_some(items.subspan(n)); some != 0) {
        n += some;
      } else if (put(std::move(items[n]), deadline)) {
        ++n;
      } else {
        break;
      }
    }
    return n;
  }

  /// Blocks while the queue is empty, then takes out what is there, up to `max` items.
  /// Returns at least one item, unless `max` is 0. No more than one after a wait if T's move may
  ///         throw.
  /// Throws  as get().
  std::vector<T> get_bulk(std::size_t max) {
    std::vector<T> items;
    if (gather(items, max, nullptr) == Outcome::closed) no_more();
    return items;
  }
  /// The same, giving up at `deadline`.
  /// Returns no item where get(deadline) returns nothing.
  [[nodiscard]] std::vector<T> get_bulk(std::size_t max, const Deadline& deadline) {
    std::vector<T> items;
    (void)gather(items, max, &deadline);
    return items;
  }

  /// Says that the work on one item that was put is finished.
  /// Throws  UsageError if it was said for every item before.
  /// Order   before the join() that it completes.
  /// Cost    one compare-exchange; a system call if it completes a join().
  void task_done() {
    if (!finish(1)) {
      throw_usage_error(
          "thrum::Queue::task_done: called too many times, once for each item is required");
    }
  }

  /// Blocks until task_done() was called for every item that was put. Can be used again.
  /// Order   after those task_done() calls.
  void join() { (void)join(forever); }

  /// The same, giving up at `deadline`.
  /// Returns whether all work is finished. If the stop that ends the workers also ends this call,
  /// that may be so: a Task that is destroyed half-way counts as finished.
  [[nodiscard]] bool join(const Deadline& deadline) {
    WaitingFor what = waiting_for(Waitable::queue_join);
    return tasks_.join([this] { return store_.puts(); }, deadline, what);
  }

  /// Ends the queue: put() fails from now on, get() once the queue is empty, and all who block in
  /// either look again. `immediate` also drops what is in the queue, and counts it as finished.
  /// Idempotent; cannot be undone.
  void shutdown(bool immediate = false) {
    store_.close();
    store_.getters.wake_all();
    store_.putters.wake_all();
    if (immediate) drop_all();  // last: comparing items may throw
  }
  bool is_shutdown() const noexcept { return store_.is_closed(); }

  /// Returns how many items are in the queue; stale as soon as it is returned, as the next two.
  std::size_t qsize() const noexcept { return store_.size(); }
  bool empty() const noexcept { return store_.empty(); }
  bool full() const noexcept { return store_.full(); }
  /// Returns how many items were put and have no task_done() yet.
  std::uint64_t unfinished_tasks() const noexcept {
    const std::uint64_t finished = tasks_.finished();  // first: it never overtakes the puts
    return store_.puts() - finished;
  }

  /// Returns the most items there may be, 0 for no limit.
  std::size_t maxsize() const noexcept { return store_.limit(); }
  /// Changes that. More room wakes those who wait for it; with less, put() blocks until enough was
  /// got.
  void set_maxsize(std::int64_t maxsize) noexcept {
    store_.set_limit(limit_of(maxsize));
    store_.putters.wake_all();
  }

  const std::string& name() const noexcept { return name_; }

  /// An item and the duty to say when its work is done: task_done() is called at the end of its
  /// scope, also by an exception.
  class Task {
   public:
    Task(Task&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        : item_(std::move(other.item_)), queue_(std::exchange(other.queue_, nullptr)) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
      if (queue_ != nullptr) (void)queue_->finish(1);
    }
    T& operator*() noexcept { return *item_; }
    T* operator->() noexcept { return &*item_; }
    T& item() noexcept { return *item_; }

   private:
    friend class BasicQueue;
    // Leaves `item` empty. An item whose move throws here is lost, but not its task_done().
    Task(BasicQueue& queue, std::optional<T>& item) try
        : item_(std::move(item)), queue_(item_.has_value() ? &queue : nullptr) {
      item.reset();  // NOLINT(bugprone-use-after-move): it still holds what was moved from
    } catch (...) {
      (void)queue.finish(1);
    }
    std::optional<T> item_;
    BasicQueue* queue_;  // null: no duty. After item_, whose move may throw
  };

  template <bool AsTasks>
  class Iterator;
  template <bool AsTasks>
  class Items;

  /// Iterates over the items as they come, until the queue is shut down and empty:
  /// `for (Job& job : queue)`.
  Iterator<false> begin() { return Iterator<false>(*this, nullptr); }
  std::default_sentinel_t end() const noexcept { return {}; }
  /// The same, that also ends at `deadline`: `for (Job& job : queue.items(stop))`.
  Items<false> items(Deadline deadline) { return Items<false>(*this, std::move(deadline)); }
  /// The same, each with the duty to say task_done(): `for (auto task : queue.tasks())`.
  Items<true> tasks(Deadline deadline = forever) { return Items<true>(*this, std::move(deadline)); }

 private:
  static constexpr bool kThrows = !std::is_nothrow_move_constructible_v<T>;

  static std::size_t limit_of(std::int64_t maxsize) noexcept {
    return maxsize <= 0 ? 0 : static_cast<std::size_t>(maxsize);
  }
  [[noreturn]] static void no_more() {
    throw_shut_down("thrum::Queue::get: the queue is shut down and empty, no item will come");
  }
  WaitingFor waiting_for(Waitable kind) const noexcept { return {kind, this, name_or_null()}; }
  const char* name_or_null() const noexcept { return name_.empty() ? nullptr : name_.c_str(); }

  // No deadline means for ever.
  Outcome offer(T& item, const Deadline* deadline = nullptr) {
    const Outcome outcome = store_.try_put(item, false);
    if (outcome != Outcome::would_block) [[likely]]
      return outcome;
    return offer_slow(item, deadline);
  }
  [[gnu::noinline]] Outcome offer_slow(T& item, const Deadline* deadline) {
    if (deadline != nullptr && deadline->is_poll()) return Outcome::would_block;
    WaitingFor what = waiting_for(Waitable::queue_put);
    return store_.putters.block_on([&](bool slept) { return store_.try_put(item, slept); },
                                   [&] { return store_.may_put(); },
                                   deadline != nullptr ? *deadline : Deadline(forever), what,
                                   [&] { return store_.has_room_for_several(); });
  }

  template <class Sink>
  Outcome take(Sink sink, const Deadline* deadline = nullptr) {
    const Outcome outcome = store_.try_get(sink, false);
    if (outcome != Outcome::would_block) [[likely]]
      return outcome;
    return take_slow(sink, deadline);
  }
  template <class Sink>
  [[gnu::noinline]] Outcome take_slow(Sink& sink, const Deadline* deadline) {
    if (deadline != nullptr && deadline->is_poll()) return Outcome::would_block;
    WaitingFor what = waiting_for(Waitable::queue_get);
    return store_.getters.block_on([&](bool slept) { return store_.try_get(sink, slept); },
                                   [&] { return store_.may_get(); },
                                   deadline != nullptr ? *deadline : Deadline(forever), what);
  }

  // Blocks until there is an item to look for.
  Outcome await_item() {
    WaitingFor what = waiting_for(Waitable::queue_get);
    const auto look = [&](bool) {
      if (!store_.empty()) return Outcome::done;
      return store_.is_closed() && store_.empty() ? Outcome::closed : Outcome::would_block;
    };
    return store_.getters.block_on(look, [&] { return store_.may_get(); }, forever, what);
  }

  // Returns false when no item will come.
  bool next(std::optional<T>& item, const Deadline* deadline = nullptr) {
    item.reset();
    return take([&](T&& next) { item.emplace(std::move(next)); }, deadline) == Outcome::done;
  }

  Outcome gather(std::vector<T>& items, std::size_t max, const Deadline* deadline) {
    if (max == 0) return Outcome::done;
    items.reserve(std::min(max, std::max<std::size_t>(1, store_.size())));
    const auto append = [&](T&& next) { items.push_back(std::move(next)); };
    if (store_.try_get_some(append, std::min(max, items.capacity())) == 0) {
      const Outcome outcome = take(append, deadline);
      if (outcome != Outcome::done) return outcome;
      make_room(items, std::min(max, 1 + store_.size()));  // for what came while it waited
    }
    const std::size_t most = std::min(max, items.capacity());
    while (items.size() < most) {
      if (store_.try_get_some(append, most - items.size()) != 0) continue;
      try {
        if (store_.try_get(append, false) != Outcome::done) break;
      } catch (...) {
        break;  // what was taken out must reach the caller; the next call will throw
      }
    }
    return Outcome::done;
  }

  // What was taken out must reach the caller: without memory, or if moving may throw, the room is
  // as it was.
  static void make_room([[maybe_unused]] std::vector<T>& items,
                        [[maybe_unused]] std::size_t most) noexcept {
    if constexpr (!kThrows) {
      try {
        items.reserve(most);
      } catch (...) {
      }
    }
  }

  bool finish(std::uint64_t n) noexcept {
    return tasks_.finish(n, [this] { return store_.gets(); }, [this] { return store_.puts(); });
  }

  // Takes part as a getter until there is nothing left, also what a put that began before close()
  // is still moving in.
  void drop_all() {
    const auto drop = [](T&&) noexcept {};
    while (take(drop) == Outcome::done) (void)finish(1);
  }

  // The name fills the store's last line, which nobody writes often: who is about to block reads
  // it, and must not take the line from those who say task_done().
  [[no_unique_address]] Store store_;
  std::string name_;
  alignas(64) TaskCount tasks_;
};

/// An input iterator over what comes out of a queue.
template <class T, class Store>
template <bool AsTasks>
class BasicQueue<T, Store>::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = std::conditional_t<AsTasks, Task, T>;
  using iterator_concept = std::input_iterator_tag;

  explicit Iterator(BasicQueue& queue, const Deadline* deadline)
      : queue_(&queue), deadline_(deadline) {
    ++*this;
  }

  decltype(auto) operator*() const {
    if constexpr (AsTasks) {
      return Task(*queue_, item_);
    } else {
      return *item_;
    }
  }
  Iterator& operator++() {
    over_ = !queue_->next(item_, deadline_);
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const noexcept { return over_; }

 private:
  BasicQueue* queue_;
  const Deadline* deadline_;  // null: for ever
  mutable std::optional<T> item_;
  bool over_ = false;
};

template <class T, class Store>
template <bool AsTasks>
class BasicQueue<T, Store>::Items {
 public:
  Iterator<AsTasks> begin() { return Iterator<AsTasks>(queue_, &deadline_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class BasicQueue;
  explicit Items(BasicQueue& queue, Deadline deadline)
      : queue_(queue), deadline_(std::move(deadline)) {}
  BasicQueue& queue_;
  Deadline deadline_;
};

/// First in, first out: strictly, for all putters and getters.
///
///     Queue<Job> jobs(64);
///     jobs.put(job);                                       // one thread
///     for (auto task : jobs.tasks()) run(*task);           // others
///     jobs.join();
///     jobs.shutdown();
///
/// Without locks if T's move cannot throw. For the last thing put first, use LifoQueue.
/// Like    queue.Queue.
template <class T>
class Queue final
    : public BasicQueue<T, std::conditional_t<std::is_nothrow_move_constructible_v<T>, RingStore<T>,
                                              LockedStore<T, FifoItems<T>>>> {
 public:
  using Queue::BasicQueue::BasicQueue;
};

/// Last in, first out.
/// Like    queue.LifoQueue.
template <class T>
class LifoQueue final : public BasicQueue<T, LockedStore<T, LifoItems<T>>> {
 public:
  using LifoQueue::BasicQueue::BasicQueue;
};

/// Smallest first, by `Compare`; no order among equals.
/// Cost    O(log n) comparisons and moves, under a lock.
/// Like    queue.PriorityQueue.
template <class T, class Compare = std::less<>>
class PriorityQueue final : public BasicQueue<T, LockedStore<T, HeapItems<T, Compare>>> {
 public:
  using PriorityQueue::BasicQueue::BasicQueue;
};

/// First in, first out, without limit, tasks or end: what is left when only put and get are wanted.
/// put() may be called by an item's own code while the queue moves it.
/// Like    queue.SimpleQueue.
template <class T>
class SimpleQueue {
  // Not a constraint: an item may hold a pointer to a queue of its own kind.
  static_assert(std::is_nothrow_move_constructible_v<T>, "its put() must not be able to fail");

 public:
  SimpleQueue() = default;
  SimpleQueue(const SimpleQueue&) = delete;
  SimpleQueue& operator=(const SimpleQueue&) = delete;

  /// Puts an item in; never blocks.
  /// Order   before the get() that returns it.
  void put(T item) { queue_.put(std::move(item)); }
  /// Takes the oldest item out; blocks while there is none.
  T get() { return queue_.get(); }
  /// The same, giving up at `deadline`.
  /// Returns nothing then.
  [[nodiscard]] std::optional<T> get(const Deadline& deadline) { return queue_.get(deadline); }
  /// Returns how many items there are; stale as soon as it is returned, as the next.
  std::size_t qsize() const noexcept { return queue_.qsize(); }
  bool empty() const noexcept { return queue_.empty(); }

 private:
  Queue<T> queue_;
};

}  // namespace thrum
