// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "analysis/dump.h"

namespace thrum::cli {

/// Returns a thread dump as lines with ink marks (text/terminal.h).
std::vector<std::string> dump_text(const analysis::ThreadDump& dump);

}  // namespace thrum::cli
