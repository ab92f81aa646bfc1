// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>

namespace thrum::cli {

/// Adds the subcommand `check`; the exit code goes to `exit_code` when it was run.
void add_check_command(CLI::App& app, int& exit_code);

}  // namespace thrum::cli
