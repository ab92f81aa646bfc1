// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "explore/target.h"

namespace thrum::explore {

/// Becomes gdb with the program in it, which has all that it needs to run by itself; it stops where
/// the program fails. Throws  std::system_error
[[noreturn]] void become_debugger(const Program& program, const std::vector<std::string>& command,
                                  const check::Job& job, const TargetOptions& options);

}  // namespace thrum::explore
