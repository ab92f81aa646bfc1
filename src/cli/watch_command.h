// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>

namespace thrum::cli {

/// Adds the subcommand `watch`; its exit code goes to `exit_code` when it was run.
void add_watch_command(CLI::App& app, int& exit_code);

}  // namespace thrum::cli
