// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/recording.h"

namespace thrum::analysis {

/// Names addresses of one process, from the debug information of the files that it has mapped.
/// Not for several threads at once.
class Symbols {
 public:
  explicit Symbols(const std::vector<Module>& modules);
  ~Symbols();
  Symbols(Symbols&&) noexcept;
  Symbols& operator=(Symbols&&) noexcept;

  /// Returns the functions at a return address, the innermost inlined one first; at least one.
  std::vector<Frame> frames(std::uint64_t return_address);
  /// Returns the name of the variable at the address, empty if there is none.
  std::string variable(std::uint64_t address);
  enum class Known : std::uint8_t { all, pc_and_sp };
  /// Returns the return addresses of a stack, from the innermost. `bytes` begin at `registers.sp`.
  std::vector<std::uint64_t> unwind(const trace::Registers& registers,
                                    std::span<const unsigned char> bytes, Known known = Known::all);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Returns the name of a C++ function or variable as it is written, or the name itself.
std::string demangled(const std::string& symbol);
/// The same for the name of a type, as std::type_info has it.
std::string demangled_type(const std::string& name);

}  // namespace thrum::analysis
