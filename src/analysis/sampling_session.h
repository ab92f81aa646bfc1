// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "analysis/session.h"

namespace thrum::analysis {

/// Watches a process from outside: one that runs already, or a program that cannot be recorded, for
/// the reason given. Writes a recording like that of a recorder, as far as looking at it tells.
/// Throws  CannotWatch, std::system_error
WatchResult watch_from_outside(const WatchOptions& options, Privileges& privileges,
                               const std::string& program_path, const std::string& reason);

}  // namespace thrum::analysis
