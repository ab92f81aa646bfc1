// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What of an instrumented program is not: atomics and system calls as instructions. Compiled by
// `thrum c++` an atomic is a call of the runtime, so an instruction with a lock prefix is from
// inline assembly, or from an object file or library that was compiled otherwise.
#pragma once

#include <string>
#include <vector>

#include "explore/program.h"

namespace thrum::explore {

/// The functions that have such instructions, at most kMostUnseen each.
inline constexpr std::size_t kMostUnseen = 100;
struct UnseenCode {
  std::vector<std::string> atomics;
  std::vector<std::string> system_calls;
};

/// Reads the program's code, of those functions that it has the symbols of. GoogleTest's own
/// functions are left out: it orders nothing by them.
UnseenCode unseen_code(const Program& program);

}  // namespace thrum::explore
