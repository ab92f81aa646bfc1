// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "analysis/scheduler_recorder.h"

namespace thrum::analysis {

/// What a recording says of how it was made.
struct LevelText {
  std::string level{}, cannot_tell{};
  std::string advice{};  ///< why it is not more, and what would help
};

/// Returns it for a program with a recorder in it.
/// Throws  CannotWatch if the level that was asked for is not to be had
LevelText level_of_recorder(Level wanted, const SchedulerRecorder& scheduler);
/// Returns it for one that is looked at from outside, for the reason given.
/// Throws  CannotWatch as above
LevelText level_from_outside(Level wanted, const SchedulerRecorder& scheduler,
                             const std::string& reason);

}  // namespace thrum::analysis
