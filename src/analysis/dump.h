// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A thread dump of a running process: what jstack is for Java, for everything.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/privileges.h"
#include "analysis/recording.h"
#include "analysis/waits.h"

namespace thrum::analysis {

struct ThreadDump {
  struct Thread {
    std::uint32_t tid = 0;
    std::string name{};
    std::string state{};       ///< running, blocked, stopped...
    Waiting waiting{};         ///< of a blocked one
    std::string object{};      ///< what it waits for, in words
    std::uint32_t holder = 0;  ///< tid; 0 none or unknown
    std::string holder_name{};
    std::optional<std::uint64_t> for_ns{};  ///< since when it had no processor, about
    Turns turns{};
    std::uint64_t voluntary = 0, involuntary = 0;
    std::vector<Frame> frames{};
    std::string no_stack{};  ///< why there are no frames, or not all
  };
  std::uint32_t pid = 0;
  std::vector<std::string> command{};
  std::string level{}, cannot_tell{}, advice{};
  std::vector<Thread> threads{};  ///< the main thread first
  std::vector<Json> alarms{};     ///< deadlocks, as in a recording
};

/// Looks at a process twice, a tenth of a second apart: what did not move is certain.
/// Throws  CannotWatch
ThreadDump dump_threads(std::uint32_t pid, bool stop, Privileges& privileges);

/// Returns what a thread waits for, in words.
std::string waiting_text(std::uint32_t pid, const Call& call, const Waiting& waiting,
                         const std::string& variable);

Json json_of(const ThreadDump& dump);

}  // namespace thrum::analysis
