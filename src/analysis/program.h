// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace thrum::analysis {

/// What is known of a program before it is started.
struct Program {
  std::string path{};          ///< where it was found; empty if it was not
  std::string problem{};       ///< why it cannot be run or read; empty if it can
  std::string unrecordable{};  ///< why no recorder can be loaded into it; empty if one can
  bool missing = false;        ///< there is nothing to run
};

/// Looks for a command as the shell does, and at the file that will run: through `#!` lines to the
/// interpreter.
Program find_program(const std::string& command);

}  // namespace thrum::analysis
