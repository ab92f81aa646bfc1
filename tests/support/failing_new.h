// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace thrum::test {

/// Makes one allocation of the calling thread fail: the `after`-th next, counted from 0.
class FailingNew {
 public:
  explicit FailingNew(int after) noexcept;
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
};

/// Returns how many bytes the calling thread has asked operator new for.
std::size_t bytes_allocated() noexcept;
/// Returns how many bytes of operator new all threads together have not given back.
std::size_t bytes_in_use() noexcept;

}  // namespace thrum::test
