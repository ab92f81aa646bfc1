// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace thrum {

/// How many items a queue's store holds, from what it counts: puts(), gets() and limit().
template <class Store>
class QueueSize {
 public:
  /// No more than there were at one moment of the call; exact if nobody got one meanwhile.
  std::size_t size() const noexcept {
    const std::uint64_t put = store().puts();
    const std::uint64_t got = store().gets();
    return got < put ? static_cast<std::size_t>(put - got) : 0;
  }

  /// True only if it was so at one moment of the call, as full().
  bool empty() const noexcept {
    const std::uint64_t got = store().gets();  // first: when puts() is read they are no fewer
    return store().puts() == got;
  }
  bool full() const noexcept {
    const std::size_t limit = store().limit();
    return limit != 0 && size() >= limit;
  }

 private:
  const Store& store() const noexcept { return static_cast<const Store&>(*this); }
};

}  // namespace thrum
