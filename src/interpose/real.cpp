// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "interpose/real.h"

#include <dlfcn.h>

#include <atomic>

namespace thrum::interpose {
namespace {

// Returns which library an address is in.
const void* library_of(void* address) noexcept {
  Dl_info found{};
  return dladdr(address, &found) != 0 ? found.dli_fbase : nullptr;
}

// A lookup by version passes by who is between us and libc, and has no versions: the runtime of a
// sanitizer, which must see what the program does, or somebody else's doors. Theirs comes first.
void* next(const char* name, const char* version) noexcept {
  void* const first = dlsym(RTLD_NEXT, name);
  void* const found = version != nullptr ? dlvsym(RTLD_NEXT, name, version) : nullptr;
  if (found == nullptr || first == nullptr) return first != nullptr ? first : found;
  return library_of(first) == library_of(found) ? found : first;
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
