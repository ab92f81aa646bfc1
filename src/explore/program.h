// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What can be said of a program before it runs, and the runtime that is loaded into it.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace thrum::explore {

/// Why a program cannot be checked, and what to do about it.
class CannotCheck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Program {
  std::filesystem::path path;
  bool is_instrumented = false;  // compiled by thrum c++, in whole or part
  bool uses_gtest = false;
  std::string build_id;  // in hexadecimal digits; empty if it has none
  std::string openmp;    // its library, if it is linked with one: those threads are not controlled
};

/// Looks the command up as a shell does, and reads its symbols.
/// Throws  CannotCheck if it is no program, or one that cannot be checked.
Program examine(const std::string& command);

/// Returns the folder of libthrum_check.so, which lies beside the command.
std::filesystem::path runtime_folder();
std::filesystem::path runtime_library();

}  // namespace thrum::explore
