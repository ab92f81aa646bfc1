// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Registers and stacks of threads that /proc does not show.
#pragma once

#include <sys/types.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "analysis/live_process.h"

namespace thrum::analysis {

struct Registered {
  trace::Registers registers{};
  std::vector<unsigned char> bytes{};  ///< from registers.sp up
};

/// Looks at threads that run, with the kernel's samples: nobody is stopped. Those that get no
/// processor within some milliseconds are not in the result. `refusal` says why it is empty.
std::map<pid_t, Registered> sample_running(std::span<const pid_t> tids, std::string& refusal);

/// Stops all threads by ptrace, reads what they stand on, and lets them go: some milliseconds. A
/// call that a thread is blocked in may end with EINTR.
std::map<pid_t, Registered> stop_and_read(LiveProcess& process, std::string& refusal);

}  // namespace thrum::analysis
