// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Becomes thrum_bench, the program beside this one. That stays a program of its own: it links all
// peers, which nobody else wants, and is measured where it was built, so it is not installed.
#include "cli/bench_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "cli/exit_code.h"
#include "cli/print_error.h"

namespace thrum::cli {
namespace {

int become_bench(std::vector<std::string> arguments) {
  std::error_code unknown;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  std::string program = here / "thrum_bench";
  std::vector<char*> argv{program.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  print_error("bench",
              errno == ENOENT
                  ? "it works where thrum was built: thrum_bench is not beside this program"
                  : program + ": " + std::generic_category().message(errno));
  return kFailed;
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* const bench =
      app.add_subcommand("bench", "Measure what all of it costs, beside its peers");
  bench->set_help_flag();  // all that follows is for thrum_bench
  bench->prefix_command();
  bench->callback([bench, &exit_code] { exit_code = become_bench(bench->remaining()); });
}

}  // namespace thrum::cli
