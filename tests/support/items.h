// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Items that queues have trouble with.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace thrum::test {

/// What a Careful item throws.
struct Boom {};

/// Makes the `after`-th next step of the calling thread's Careful items throw, counted from 0; a
/// step is a move, a copy or a comparison.
class Fuse {
 public:
  explicit Fuse(int after) noexcept { left() = after; }
  ~Fuse() { left() = -1; }
  Fuse(const Fuse&) = delete;
  Fuse& operator=(const Fuse&) = delete;

  static void step() {
    if (left() >= 0 && left()-- == 0) throw Boom();
  }

 private:
  static int& left() noexcept {
    static thread_local int steps = -1;
    return steps;
  }
};

/// Counts how many of its kind there are.
template <class Tag>
class Counted {
 public:
  Counted() noexcept { ++count(); }
  Counted(const Counted&) noexcept { ++count(); }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --count(); }
  static std::atomic<int>& count() noexcept {
    static std::atomic<int> n{0};
    return n;
  }
};

/// A number whose moves, copies and comparisons may throw, and then change nothing.
struct Careful : Counted<Careful> {
  static constexpr int kMovedFrom = -1;

  Careful(int v) noexcept : value(v) {}  // NOLINT: a number in all that the tests write
  Careful(Careful&& other) noexcept(false) {
    Fuse::step();
    value = std::exchange(other.value, kMovedFrom);
  }
  Careful(const Careful& other) : Counted(other) {
    Fuse::step();
    value = other.value;
  }
  Careful& operator=(Careful&& other) noexcept(false) {
    Fuse::step();
    value = std::exchange(other.value, kMovedFrom);
    return *this;
  }
  Careful& operator=(const Careful& other) {
    Fuse::step();
    value = other.value;
    return *this;
  }
  operator int() const noexcept { return value; }  // NOLINT: as above
  friend bool operator<(const Careful& a, const Careful& b) {
    Fuse::step();
    return a.value < b.value;
  }

  int value = kMovedFrom;
};

/// The same, but only comparisons may throw.
struct Picky {
  Picky(int v) noexcept : value(v) {}              // NOLINT: as above
  operator int() const noexcept { return value; }  // NOLINT: as above
  friend bool operator<(const Picky& a, const Picky& b) {
    Fuse::step();
    return a.value < b.value;
  }

  int value;
};

/// Stops a thread in the middle of a move.
class Freezer {
 public:
  /// Makes the next move of a Freezable by the calling thread stop until thaw().
  void freeze_me() noexcept { mine() = this; }
  void until_frozen() const noexcept { frozen_.wait(false); }
  void thaw() noexcept {
    thawed_ = true;
    thawed_.notify_all();
  }

  static void here() noexcept {
    Freezer* const freezer = std::exchange(mine(), nullptr);
    if (freezer == nullptr) return;
    freezer->frozen_ = true;
    freezer->frozen_.notify_all();
    freezer->thawed_.wait(false);
  }

 private:
  static Freezer*& mine() noexcept {
    static thread_local Freezer* freezer = nullptr;
    return freezer;
  }

  std::atomic<bool> frozen_{false}, thawed_{false};
};

/// A number whose move can be stopped half-way.
struct Freezable {
  Freezable(int v) noexcept : value(v) {}  // NOLINT: a number in all that the tests write
  Freezable(Freezable&& other) noexcept : value(other.value) { Freezer::here(); }
  Freezable& operator=(Freezable&&) = delete;
  operator int() const noexcept { return value; }  // NOLINT: as above

  int value;
};

}  // namespace thrum::test
