// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <new>
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
  std::atomic<Page<T>*> shared{nullptr};
  std::atomic<bool> done{false};
  Actor taker([&] {
    for (int round = 0; !done; ++round) {
      while (shared.load(std::memory_order_acquire) == nullptr && !done) sched_yield();
      if (done) return;
      Page<T>& page = *shared.load(std::memory_order_acquire);
      take(*page, round);
      page.vanish();
      shared.store(nullptr, std::memory_order_release);
    }
  });
  for (int round = 0; rounds.next(); ++round) {
    Page<T> page(args...);
    prepare(*page);
    shared.store(&page, std::memory_order_release);
    if (round % 4 == 0) taker.until_blocked_on(*page);
    give(*page, round);
    while (shared.load(std::memory_order_acquire) != nullptr) sched_yield();
  }
  done = true;
}

}  // namespace thrum::test
