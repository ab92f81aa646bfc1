// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What check and replay share: how an execution is shown, and the files that are made of it.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

#include "explore/report.h"
#include "text/terminal.h"

namespace thrum::cli {

/// What was asked for beside the report on standard output.
struct Forms {
  std::string html;
  std::string test;  // a script that replays
  bool json = false;
  bool no_colour = false;
};

enum class SaveTest : bool { no, yes };
void add_forms(CLI::App& command, Forms& forms, SaveTest save_test);
/// Returns whether the files can be made, as far as one can tell before; else says why not.
bool can_be_made(const Forms& forms);

/// Returns the words as a shell reads them.
std::string command_line(const std::vector<std::string>& words);
std::string replay_line(const explore::Replay& replay, const std::vector<std::string>& command);

void print_story(const text::Terminal& terminal, const explore::Story& story);
/// Writes the files that were asked for, and says so; the `number`th of a run has it in its name
/// unless it is the first. Returns an exit code.
int write_files(const Forms& forms, const explore::Story& story,
                const explore::Circumstances& circumstances,
                const std::vector<std::string>& command, unsigned number);

/// Calls the body. What stops a program from being checked is one line about it and an exit code.
int guarded(const std::vector<std::string>& command, const std::function<int()>& body);

}  // namespace thrum::cli
