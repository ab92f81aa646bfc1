// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "thrum/config.h"

namespace thrum {

/// The part of Local that does not depend on its type.
class THRUM_API LocalBase {
 public:
  LocalBase(const LocalBase&) = delete;
  LocalBase& operator=(const LocalBase&) = delete;

 protected:
  /// One thread's value.
  class Value {
   public:
    virtual ~Value() = default;

   private:
    friend class LocalBase;
    std::size_t place_ = 0;  // among all values of the Local
  };
  struct Shared;  // all values of one Local; outlives it as long as a thread remembers it

  LocalBase();
  ~LocalBase();
  /// Returns the calling thread's value, null if it has none.
  Value* find() const noexcept;
  /// Gives the calling thread its value.
  Value* insert(std::unique_ptr<Value> value);
  /// Destroys the calling thread's value, if it has one.
  void erase() noexcept;

 private:
  struct Table;  // what one thread remembers
  static Table& own_table();
  static void thread_exits(void* table) noexcept;

  std::shared_ptr<Shared> shared_;
};

/// A variable of which every thread has its own, made when the thread first touches it.
///
///     Local<Cache> cache(64);  // in each thread: Cache(64)
///     cache->insert(key);
///
/// Unlike a thread_local it can be a member or live on the heap. A thread's value is destroyed when
/// the thread ends (after its thread_locals), all of them when the Local is destroyed, which must
/// not happen while another thread uses it. A value made while a thread's values are destroyed is
/// destroyed too. The main thread's value lives as long as the Local.
/// Cost    a look-up in a small table of the thread's own; no lock once the value exists.
/// Like    threading.local; thread_local.
template <class T>
class Local : public LocalBase {
 public:
  /// Keeps `args`; each thread's value is made from a copy of them.
  template <class... Args>
    requires(sizeof...(Args) != 1 || (!std::is_same_v<std::decay_t<Args>, Local> && ...))
  explicit Local(Args&&... args)
      : make_([kept = std::make_tuple(std::forward<Args>(args)...)] {
          return std::apply([](const auto&... each) { return std::make_unique<Holder>(each...); },
                            kept);
        }) {}

  /// Returns the calling thread's value, made now if it is the first time.
  /// Throws  what T's constructor throws; there is no value then.
  T& get() const {
    Value* value = find();
    if (value == nullptr) value = const_cast<Local*>(this)->insert(make_());
    return static_cast<Holder*>(value)->value;
  }
  T& operator*() const { return get(); }
  T* operator->() const { return &get(); }

  /// Returns whether the calling thread has a value.
  bool has_value() const noexcept { return find() != nullptr; }
  /// Destroys the calling thread's value; the next get() makes a new one.
  void reset() noexcept { erase(); }

 private:
  struct Holder final : Value {
    template <class... Args>
    explicit Holder(const Args&... args) : value(args...) {}
    T value;
  };

  std::function<std::unique_ptr<Holder>()> make_;
};

}  // namespace thrum
