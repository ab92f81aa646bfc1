// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "trace/shared.h"

namespace thrum::analysis {

/// The memory that observed processes write to. They open it through /proc, so that none of their
/// descriptors is taken; they cannot change its size.
class SharedMemory {
 public:
  /// Throws  std::system_error
  explicit SharedMemory(bool record_all);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  trace::Shared& operator*() const { return *shared_; }
  trace::Shared* operator->() const { return shared_; }
  /// Returns what an observed process needs in its environment, as trace::kWhere.
  std::string where() const;
  /// Returns CLOCK_MONOTONIC's time of the recording's origin.
  std::uint64_t origin_ns() const { return origin_ns_; }
  /// Returns the length of a tick, the better the longer the recording lasts.
  double ns_per_tick() const;
  /// Gives the memory of a ring back to the system. Nobody may use it meanwhile.
  void forget_ring(std::uint32_t slot);

 private:
  int file_ = -1;
  trace::Shared* shared_ = nullptr;
  std::uint64_t origin_ns_ = 0;
};

}  // namespace thrum::analysis
