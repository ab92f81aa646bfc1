// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A story in the forms that it takes: for a terminal, for a browser, for programs.
#pragma once

#include <string>
#include <vector>

#include "explore/story.h"
#include "explore/words.h"

namespace thrum::explore {

/// Returns what went wrong, in lines with ink marks (text/terminal.h).
std::vector<std::string> headline(const Story& story);
/// Returns the schedule, `width` columns wide.
std::vector<std::string> schedule_table(const Story& story, std::size_t width);

/// What is known beside the execution itself.
struct Circumstances {
  std::string command;  // as one would type it
  std::string found;    // how it was found, or how a replay went
  std::string replay;   // the command that shows it again; empty if nothing does
  unsigned preemptions = 0;
};

unsigned preemptions(const Story& story);
/// Returns one page for a browser, with all that it needs.
std::string page(const Story& story, const Circumstances& circumstances);
std::string json(const Story& story, const Circumstances& circumstances);

}  // namespace thrum::explore
