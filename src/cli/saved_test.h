// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "explore/report.h"

namespace thrum::cli {

/// Returns a script for sh that replays the schedule and says whether the program still fails.
std::string saved_test(const explore::Story& story, const explore::Circumstances& circumstances,
                       const std::vector<std::string>& command);

}  // namespace thrum::cli
