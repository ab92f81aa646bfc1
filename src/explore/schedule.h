// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A schedule as a value, and as the one line that replays it:
//
//   check1:BUILD:HASH:SWITCHES:CHOICES:POINTS:FLAGS
//
//   BUILD     the first digits of the program's build id, or -
//   HASH      of all events of the execution
//   SWITCHES  T.S-U.C,... at step S of thread T go on with thread U; C is a check of who
//             did what before
//   CHOICES   T.I-V,... choice I of thread T has value V
//   POINTS    MODULE+ADDRESS,... plain accesses at which threads switch
//   FLAGS     t: timeouts at any time, r: races are no findings, l: leaks are none,
//             eN: explore() number N, sN: at most N steps, m and all that follows: the modules
//             whose races are none, with commas between, other characters than those of file
//             names as %XX
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check/protocol.h"

namespace thrum::explore {

struct Point {
  std::string module;  // file name without folders; empty: the program itself
  std::uint64_t address;
};

struct Schedule {
  std::vector<check::Switch> switches;
  std::vector<check::Choice> choices;
  std::vector<Point> points;
};

struct Replay {
  std::string build_id;
  std::uint64_t hash = 0;
  Schedule schedule;
  check::Timeouts timeouts = check::Timeouts::last;
  bool races = true;
  bool leaks = true;
  std::uint32_t exploration = 0;
  std::uint32_t max_steps = 20'000;
  std::vector<std::string> suppressed;  // modules whose races are no findings
};

/// Returns the schedule of the last execution.
Schedule happened(const check::Shared& shared);
/// Makes it the schedule that a replay follows. Returns false if it has a point in a module that
/// the program has not loaded.
bool want(check::Shared& shared, const Schedule& schedule);

/// Is it a file name, without folders, with `*` and `?` for any text and any character?
bool can_be_suppressed(std::string_view module);
/// Makes races in these modules no findings. Returns false if they are too many or too long.
bool suppress(check::Job& job, const std::vector<std::string>& modules);

std::string to_string(const Replay& replay);
/// Returns nothing if the text is no such line.
std::optional<Replay> parse_replay(const std::string& text);

}  // namespace thrum::explore
