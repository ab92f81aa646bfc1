// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The layouts are those of glibc 2.25 and later on x86-64: a word that does not fit is a futex of
// somebody else, never a wrong holder.
#include "analysis/waits.h"

#include <linux/futex.h>

#include <array>
#include <string_view>
#include <utility>

namespace thrum::analysis {

using trace::Kind;

namespace {

constexpr long kPoll = 7, kNanosleep = 35, kFutex = 202, kClockNanosleep = 230, kFutexWaitv = 449;
constexpr std::uint64_t kLockPi2 = 13;

constexpr std::uint32_t kSomebodySleeps = 1u << 31;
constexpr std::uint32_t kHolder = 0x3fffffff;

// Words of a pthread_mutex_t.
constexpr std::size_t kMutexWord = 0, kMutexOwner = 2, kMutexKind = 4, kMutexWords = 5;
constexpr std::uint32_t kMutexKinds = 0x3ff;
constexpr std::uint32_t kRobustOrInheriting = 0x30;

// Words of a pthread_rwlock_t: readers in units of eight; two words to sleep on; the writer.
constexpr std::size_t kRwReaders = 0, kRwWriterFutex = 3, kRwWriter = 6, kRwShared = 7,
                      kRwWords = 8;

// The kind that a function of libc waits for; none if it is not one of them.
Kind kind_of(std::string_view function) {
  static constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"pthread_cond_", Kind::condition},
      {"pthread_mutex_", Kind::mutex},
      {"pthread_rwlock_rd", Kind::read_lock},
      {"pthread_rwlock_timedrd", Kind::read_lock},
      {"pthread_rwlock_clockrd", Kind::read_lock},
      {"pthread_rwlock_wr", Kind::write_lock},
      {"pthread_rwlock_timedwr", Kind::write_lock},
      {"pthread_rwlock_clockwr", Kind::write_lock},
      {"pthread_barrier_wait", Kind::barrier},
      {"pthread_once", Kind::once},
      {"pthread_join", Kind::join},
      {"pthread_timedjoin", Kind::join},
      {"pthread_clockjoin", Kind::join},
      {"sem_wait", Kind::semaphore},
      {"sem_timedwait", Kind::semaphore},
      {"sem_clockwait", Kind::semaphore},
  };
  while (function.starts_with('_')) function.remove_prefix(1);
  if (function.starts_with("new_sem_")) function.remove_prefix(4);
  for (const auto& [name, kind] : kKinds) {
    if (function.starts_with(name)) return kind;
  }
  return Kind::none;
}

class Futex {
 public:
  Futex(std::uint32_t pid, std::uint64_t address, std::uint32_t expected, const ReadWords& read,
        const std::function<bool(std::uint32_t)>& is_thread)
      : pid_(pid), address_(address), expected_(expected), read_(read), is_thread_(is_thread) {}

  // Returns whether the word still is what the thread sleeps on.
  bool is_mutex(Waiting& found) const {
    std::array<std::uint32_t, kMutexWords> words{};
    if (expected_ != 2 || !read(address_, words) || words[kMutexWord] != 2 ||
        (words[kMutexKind] & ~kMutexKinds) != 0 || !is_thread_(words[kMutexOwner])) {
      return false;
    }
    found.kind = Kind::mutex;
    found.holder = words[kMutexOwner];
    return true;
  }

  // The holder's id and a bit that somebody sleeps: robust and priority-inheriting mutexes of
  // glibc, futexes of the kernel that inherit, the Lock of this project.
  bool is_owned(Waiting& found) const {
    std::array<std::uint32_t, kMutexWords> words{};
    if (!read(address_, words)) return false;
    const std::uint32_t word = words[kMutexWord];
    if ((word & kSomebodySleeps) == 0 || !is_thread_(word & kHolder)) return false;
    const bool is_mutex = words[kMutexOwner] == (word & kHolder) &&
                          (words[kMutexKind] & kRobustOrInheriting) != 0 &&
                          (words[kMutexKind] & ~kMutexKinds) == 0;
    found.kind = is_mutex ? Kind::mutex : Kind::futex;
    found.holder = word & kHolder;
    return true;
  }

  // A read-write lock is aligned to 8, and slept on at 8 or 12.
  bool is_read_write(Waiting& found, Kind kind) const {
    const std::uint64_t base = address_ - (address_ % 8 == 0 ? 8 : 12);
    std::array<std::uint32_t, kRwWords> words{};
    if ((expected_ & 2) == 0 || !read(base, words) || words[kRwShared] > 1) return false;
    if (words[kRwWriter] != 0 && is_thread_(words[kRwWriter])) {
      found.holder = words[kRwWriter];
    } else if (kind == Kind::none) {
      return false;  // nothing says that it is one
    } else {
      found.readers = words[kRwReaders] >> 3;
    }
    // Only writers sleep on the second word.
    const bool writes = base + kRwWriterFutex * sizeof words[0] == address_;
    found.kind = kind != Kind::none ? kind : writes ? Kind::write_lock : Kind::read_lock;
    found.object = base;
    return true;
  }

  // The word is the joined thread's id, which the kernel clears at its end.
  bool is_join(Waiting& found, bool is_private) const {
    std::array<std::uint32_t, 1> word{};
    if (is_private || !read(address_, word) || word[0] != expected_ || !is_thread_(expected_)) {
      return false;
    }
    found.kind = Kind::join;
    found.holder = expected_;
    return true;
  }

 private:
  template <std::size_t n>
  bool read(std::uint64_t address, std::array<std::uint32_t, n>& words) const {
    return read_(pid_, address, words.data(), n);
  }

  std::uint32_t pid_;
  std::uint64_t address_;
  std::uint32_t expected_;
  const ReadWords& read_;
  const std::function<bool(std::uint32_t)>& is_thread_;
};

// Where the object begins whose word at `address` is slept on.
std::uint64_t base_of(Kind kind, std::uint64_t address) {
  switch (kind) {
    case Kind::condition:  // aligned to 8; one word for each of two groups, at 40 and 44
      return address - (address % 8 == 0 ? 40 : 44);
    case Kind::barrier:
      return address - 4;
    default:
      return address;
  }
}

Waiting wait_on_futex(std::uint32_t pid, const Call& call, std::span<const std::string> functions,
                      const ReadWords& read, const std::function<bool(std::uint32_t)>& is_thread) {
  const auto& [address, operation, expected, timeout, second, third] = call.arguments;
  Waiting found;
  found.kind = Kind::futex;
  found.object = address;
  found.timed = timeout != 0;
  const Futex futex(pid, address, static_cast<std::uint32_t>(expected), read, is_thread);
  const std::uint64_t command = operation & static_cast<std::uint64_t>(FUTEX_CMD_MASK);
  if (command == FUTEX_LOCK_PI || command == kLockPi2) {
    (void)futex.is_owned(found);
    return found;
  }
  if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET && command != FUTEX_WAIT_REQUEUE_PI)
    return found;
  Kind kind = Kind::none;
  for (const std::string& function : functions) {
    if (const Kind one = kind_of(function); one != Kind::none) kind = one;
  }
  if (futex.is_mutex(found) || futex.is_owned(found) ||
      ((kind == Kind::none || kind == Kind::read_lock || kind == Kind::write_lock) &&
       futex.is_read_write(found, kind)) ||
      futex.is_join(found, (operation & FUTEX_PRIVATE_FLAG) != 0)) {
    return found;
  }
  if (kind != Kind::none) {
    found.kind = kind;
    found.object = base_of(kind, address);
  }
  return found;
}

// Many words; the last is the object's where the others are for stopping.
Waiting wait_on_futexes(std::uint32_t pid, const Call& call, const ReadWords& read,
                        const std::function<bool(std::uint32_t)>& is_thread) {
  constexpr std::uint64_t kMost = 128;
  const auto& [vector, n, flags, timeout, clock, none] = call.arguments;
  Waiting found;
  found.kind = Kind::futex;
  found.timed = timeout != 0;
  std::array<std::uint32_t, 6> words{};  // value (64 bits), address (64), flags, reserved
  if (n == 0 || n > kMost ||
      !read(pid, vector + (n - 1) * sizeof words, words.data(), words.size()))
    return found;
  found.object = words[2] | std::uint64_t{words[3]} << 32;
  (void)Futex(pid, found.object, words[0], read, is_thread).is_owned(found);
  return found;
}

}  // namespace

Waiting waiting_of(std::uint32_t pid, const Call& call, std::span<const std::string> functions,
                   const ReadWords& read, const std::function<bool(std::uint32_t)>& is_thread) {
  switch (call.number) {
    case kFutex:
      return wait_on_futex(pid, call, functions, read, is_thread);
    case kFutexWaitv:
      return wait_on_futexes(pid, call, read, is_thread);
    case kNanosleep:
    case kClockNanosleep:
      return {.kind = Kind::sleep, .timed = true};
    default:
      return {.kind = Kind::call,
              .timed = call.number == kPoll && static_cast<std::int32_t>(call.arguments[2]) >= 0,
              .object = static_cast<std::uint64_t>(call.number + 1)};
  }
}

}  // namespace thrum::analysis
