// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace thrum::analysis {

/// A program that is started in two steps, so that it can be made ready to be recorded in between.
class Target {
 public:
  /// Forks; the child waits for go(). `environment` is added to what it inherits.
  /// Throws  std::system_error
  Target(std::string path, std::vector<std::string> command,
         const std::vector<std::pair<std::string, std::string>>& environment);
  /// Kills it if it was not waited for.
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  pid_t pid() const { return pid_; }
  /// Runs the program. Returns 0, or the errno of exec.
  int go();
  /// Returns whether it has ended; its status then.
  bool has_ended(int& wait_status);
  void kill(int signal) const;

 private:
  pid_t pid_ = -1;
  int go_ = -1;
  int error_ = -1;
  bool ended_ = false;
};

/// Returns where the library is that is loaded into observed programs; empty if it is missing.
std::string watch_library();

}  // namespace thrum::analysis
