// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <utility>

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

}  // namespace thrum::test
