// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A scene is what this program does if its name is the first argument.
#pragma once

#include <string>

namespace scene {

/// Adds a scene. What it returns is main's result.
struct Scene {
  Scene(std::string name, int (*run)());
};

/// Prints a line by one system call: seen at once, whatever becomes of the process.
void say(const std::string& line) noexcept;
/// Blocks until the input ends.
void until_input_ends();
/// Blocks until the thread with this kernel id sleeps in a system call.
void until_asleep(unsigned native_id);
/// Lets others run.
void let_others_run();

}  // namespace scene
