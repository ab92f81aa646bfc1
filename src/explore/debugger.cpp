// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/debugger.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace thrum::explore {
namespace {

// For the shell by which gdb starts a program.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

void become_debugger(const Program& program, const std::vector<std::string>& command,
                     const check::Job& job, const TargetOptions& options) {
  const SharedMemory memory = make_shared_memory(job, options);
  // Not closed on exec: through gdb and its shell it comes to the program. It keeps what it holds,
  // so `run` in gdb does it all again.
  if (dup2(memory.descriptor, kSharedDescriptor) < 0) {
    throw std::system_error(errno, std::generic_category(), "dup2");
  }
  // The wrapper gives the variables to the program and not to the shell, which would be taken for
  // it.
  std::string wrapper = "set exec-wrapper env";
  for (const std::string& variable : environment_of_target()) wrapper += " " + quoted(variable);
  std::vector<std::string> arguments{"gdb",    "-q",
                                     "-ex",    wrapper,
                                     "-ex",    "set breakpoint pending on",
                                     "-ex",    "set print thread-events off",
                                     "-ex",    "break thrum_check_found",
                                     "-ex",    "run",
                                     "--args", program.path.string()};
  arguments.insert(arguments.end(), command.begin() + 1, command.end());
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  execvp("gdb", words.data());
  throw std::system_error(errno, std::generic_category(), "gdb");
}

}  // namespace thrum::explore
