// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// An execution as text: what went wrong, then the schedule with one column per thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "explore/campaign.h"

namespace thrum::explore {

/// Returns the verdict in one word or two, as in `// Finds:` of the tests.
std::string_view name_of(check::Outcome outcome);
std::string_view name_of(check::StrategyId strategy);

/// Returns what went wrong, in lines with ink marks (text/terminal.h).
std::vector<std::string> headline(const Execution& execution);
/// Returns the schedule, `width` columns wide.
std::vector<std::string> schedule_table(const Execution& execution, std::size_t width);

}  // namespace thrum::explore
