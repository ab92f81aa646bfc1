// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/recording.h"

namespace thrum::analysis {

/// What threads, places and objects of a program that runs are called.
class Names {
 public:
  /// Returns null if it is not known.
  virtual const Thread* thread(std::uint64_t serial) const = 0;
  /// Returns the frames at a return address and the stack that it was called on, innermost first.
  virtual std::vector<Frame> frames(std::uint64_t thread, std::uint64_t site_stack) = 0;
  virtual std::string variable(std::uint32_t process, std::uint64_t address) = 0;

 protected:
  Names() = default;
  ~Names() = default;
};

}  // namespace thrum::analysis
