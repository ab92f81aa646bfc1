// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The forms that a recording takes. Each is a string; names that come from the program are escaped
// as the form needs it.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"

namespace thrum::report {

using analysis::Analysis;
using analysis::Json;

/// Returns lines with ink marks (text/terminal.h), of at most `columns`: one screen, or all of it.
std::vector<std::string> text(const Analysis& analysis, std::size_t columns, bool all);
/// Returns the lines that announce a deadlock.
std::vector<std::string> alarm(const Json& alarm);

std::string json(const Analysis& analysis);

/// Returns how the program ended, in words.
std::string ending(const analysis::Recording& recording);
/// Returns the command, printable.
std::string command(const analysis::Recording& recording);
/// Returns which level recorded, what it cannot tell, and what was lost: a line each.
std::vector<std::string> level(const Analysis& analysis);

}  // namespace thrum::report
