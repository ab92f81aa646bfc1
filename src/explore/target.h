// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// One run of the checked program that serves schedules: the controller's side of check/protocol.h.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "check/protocol.h"
#include "explore/program.h"

namespace thrum::explore {

using Clock = std::chrono::steady_clock;

struct TargetOptions {
  bool show_output = false;
  bool capture_errors = false;  // else what it writes is lost
  std::uint32_t exploration = 0;
  // With a program that comes to no point: so long it may compute, by processor time, or sleep.
  std::chrono::milliseconds patience{10'000};
  const check::Schedule* wanted = nullptr;  // for a job that is not posted: Job::own_threads
};

/// The memory that a program and its controller share: a descriptor, and where it is mapped.
struct SharedMemory {
  int descriptor;
  check::Shared* shared;
};
/// Returns it as a program finds it when it begins. Throws  std::system_error.
SharedMemory make_shared_memory(const check::Job& job, const TargetOptions& options);
/// Which descriptor the program finds it at.
inline constexpr int kSharedDescriptor = 63;  // beyond what it opens itself, and fixed
/// Returns what the program's environment holds beside what ours does, as NAME=VALUE.
std::vector<std::string> environment_of_target();

class Target {
 public:
  /// Starts the program. Throws  CannotCheck, std::system_error.
  Target(const Program& program, const std::vector<std::string>& command,
         const check::Job& first_job, const TargetOptions& options);
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  /// Waits until the program serves, or has ended without starting a thread: then false, and
  /// result() says how.
  bool ready();

  void post(const check::Job& job);
  /// Waits for the posted job, for at most `slice`. Returns whether it is done. A program that
  /// hangs is ended, and the job with it.
  bool done(std::chrono::milliseconds slice);
  void stop();

  /// Runs a job to its end.
  const check::Result& run(const check::Job& job);

  check::Shared& shared() const { return *shared_; }
  const check::Result& result() const { return shared_->result; }
  /// Returns what the program has written to standard error since the last call.
  std::string take_errors();

 private:
  void look_for_a_hang();
  void look_for_the_end();

  check::Shared* shared_ = nullptr;
  int descriptor_ = -1;
  int errors_ = -1;
  pid_t process_ = -1;
  bool ended_ = false;
  std::uint32_t posted_ = 0;
  TargetOptions options_;
  // A hang is looked for in this process: since it came to a point, or since it fell asleep.
  pid_t watched_ = 0;
  std::uint64_t last_progress_ = 0;
  std::chrono::nanoseconds computed_at_point_{0};
  std::chrono::nanoseconds computed_{0};
  Clock::time_point asleep_since_;
};

}  // namespace thrum::explore
