// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/collector.h"
#include "analysis/privileges.h"
#include "analysis/recording.h"
#include "analysis/scheduler_recorder.h"

namespace thrum::analysis {

/// What is seen of the program at one moment.
struct Look {
  std::uint64_t ns;  ///< since the recording's start
  const std::vector<Moment>& threads;
  Names& names;
  std::vector<QueueLook> queues;
};

struct WatchOptions {
  std::vector<std::string> command;
  std::uint32_t pid = 0;  ///< a process that runs already, instead of a command
  std::string output;     ///< where the recording goes
  Level level = Level::best;
  bool record_all = false;        ///< each acquire is an event
  bool follow = true;             ///< child processes too
  bool kill_on_deadlock = false;  ///< end the program when it has locked itself up
  std::function<void(const Json& alarm)> on_alarm;  ///< a deadlock, while it happens
  std::function<void(const Look& look)> on_look;    ///< some hundred times a second
};

/// The program cannot be watched: what() is one line.
class CannotWatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct WatchResult {
  int wait_status = 0;       ///< of the program, as waitpid() has it; 0 of one that ran already
  bool interrupted = false;  ///< by a second Ctrl-C, or SIGTERM
};

/// Runs a program, or looks at one that runs, and writes a recording. The caller has one thread. It
/// has given up root's rights then, if it had them by sudo or as capabilities of its file.
/// Throws  CannotWatch, std::system_error
WatchResult watch(const WatchOptions& options, Privileges& privileges);

}  // namespace thrum::analysis
