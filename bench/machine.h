// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a figure is worth nothing without: where it was measured, and whether it may be at all.
#pragma once

#include <string>

namespace bench {

struct Machine {
  std::string cpu;
  std::size_t cores;  ///< that this process may use
  std::string kernel;
  std::string compiler;
  std::string libraries;
  std::string build;
  std::string flags;
  std::string waist;
  std::string peers;    ///< that were found when this was built
  std::string missing;  ///< those that were not, or are not there now
  std::string commit;
  double load;  ///< threads that wanted to run in the last minute, ours aside: it just began

  static Machine here();
  /// Returns what belongs beside each figure.
  std::string line() const;
  /// Returns a name made of CPU and compiler, for a folder.
  std::string short_name() const;
};

/// Returns why no figure of this build, as it runs now, means anything; empty if they do.
std::string unfit();

}  // namespace bench
