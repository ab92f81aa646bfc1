// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>

namespace thrum::cli {

/// Adds the subcommands `c++` and `cc`; the exit code goes to `exit_code` when one was run.
void add_cxx_command(CLI::App& app, int& exit_code);

}  // namespace thrum::cli
