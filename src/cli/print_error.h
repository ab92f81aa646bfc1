// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace thrum::cli {

/// Prints `thrum: what: why` to standard error, on one line whatever `what` holds.
void print_error(std::string_view what, std::string_view why);

}  // namespace thrum::cli
