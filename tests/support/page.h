// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>
#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <semaphore>
#include <utility>

#include "support/blocked.h"

namespace thrum::test {

/// An object alone on a page that can vanish: whoever touches it afterwards dies.
template <class T>
class Page {
 public:
  template <class... Args>
  explicit Page(Args&&... args)
      : page_(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (page_ == MAP_FAILED) std::abort();
    object_ = new (page_) T(std::forward<Args>(args)...);
  }
  ~Page() {
    if (object_ != nullptr) object_->~T();
    munmap(page_, kSize);
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

  /// Destroys the object and takes its memory away.
  void vanish() noexcept {
    std::exchange(object_, nullptr)->~T();
    mprotect(page_, kSize, PROT_NONE);
  }

 private:
  static constexpr std::size_t kSize = 4096;

  void* page_;
  T* object_;
};

/// In each round, `give(object, round)` frees a thread that does `take(object, round)` and then
/// destroys the object at once: whoever still uses it dies. In every fourth round the taker, which
/// must not give up then, sleeps before it is freed.
template <class T, class Prepare, class Take, class Give, class... Args>
void who_is_freed_destroys(Rounds rounds, Prepare prepare, Take take, Give give, Args... args) {
  std::binary_semaphore ready{0}, gone{0};
  Page<T>* shared = nullptr;
  bool spin = false;
  const auto await = [&spin](std::binary_semaphore& semaphore) {
    while (spin && !semaphore.try_acquire()) sched_yield();
    if (!spin) semaphore.acquire();
  };
  const auto run = [&](Rounds left, int first, int step) {
    const Actor taker([&] {
      for (int round = first;; round += step) {
        await(ready);
        if (shared == nullptr) return;
        take(**shared, round);
        shared->vanish();
        gone.release();
      }
    });
    Actor([&] {
      if (!spin) become_humble();
      for (int round = first; left.next(); round += step) {
        Page<T> page(args...);
        prepare(*page);
        shared = &page;
        ready.release();
        if (round % 4 == 0) taker.until_blocked_on(*page);
        give(*page, round);
        await(gone);
      }
      shared = nullptr;
      ready.release();
    }).join();
  };
  spin = true;
  run(rounds, 0, 1);
  // Now whoever is freed runs, and destroys, before the humble thread that freed it goes on.
  const OneProcessor one;
  spin = false;
  run(Rounds(50), 1 << 20, 4);
}

}  // namespace thrum::test
