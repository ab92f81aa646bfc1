// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/hazard.h"

#include <algorithm>

#include "waist/self.h"
#include "waist/sleep.h"

namespace thrum {

constinit thread_local std::atomic<const void*> tls_hazard{nullptr};
constinit std::atomic<bool> hazards_are_fenced{true};

std::size_t Hazard::unprotected(std::span<void*> objects) noexcept {
  if (!hazards_are_fenced.load(std::memory_order_relaxed) && !waist::barrier()) return 0;
  // A thread that is not listed now protects nothing, and sees the unlinking once it is.
  const waist::Registry registry(nonblocking);
  if (!registry.held()) return 0;
  const auto is_free = [&](const void* object) {
    for (const waist::Node* node = registry.first(); node != nullptr; node = node->next) {
      const void* const kept = node->hazard->load(std::memory_order_seq_cst);  // [hazard] [past]
      if (kept == object || kept == kEverything) return false;
    }
    return true;
  };
  return static_cast<std::size_t>(std::partition(objects.begin(), objects.end(), is_free) -
                                  objects.begin());
}

}  // namespace thrum
