// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "interpose/real.h"

#include <dlfcn.h>

#include <atomic>

namespace thrum::interpose {
namespace {

void* next(const char* name, const char* version) noexcept {
  if (version != nullptr) {
    if (void* const found = dlvsym(RTLD_NEXT, name, version)) return found;
  }
  return dlsym(RTLD_NEXT, name);
}

}  // namespace

constinit Real real{};

void resolve() noexcept {
  // Two threads may both look, and find the same.
  static constinit std::atomic<bool> resolved{false};
  if (resolved.load(std::memory_order_acquire)) return;  // [resolved]
// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define THRUM_FUNCTION(result, name, parameters, version) \
  real.name = reinterpret_cast<result(*) parameters>(next(#name, version));
#include "interpose/functions.def"
#undef THRUM_FUNCTION
  // NOLINTEND(bugprone-macro-parentheses)
  resolved.store(true, std::memory_order_release);  // [resolved]
}

}  // namespace thrum::interpose
