// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "cli/tour/pipeline.h"

namespace thrum::cli {

/// Returns the progress as one line of at most `columns`: a bar once all files are known, then how
/// much is done, how fast, and how long the rest may take.
std::string progress_line(const Progress& progress, std::size_t columns);

}  // namespace thrum::cli
