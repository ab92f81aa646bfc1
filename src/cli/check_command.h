// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>

namespace thrum::cli {

/// Adds the subcommands `check` and `replay`; the exit code goes to `exit_code` when one was run.
void add_check_command(CLI::App& app, int& exit_code);
void add_replay_command(CLI::App& app, int& exit_code);

}  // namespace thrum::cli
