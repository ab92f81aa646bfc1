// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

#include "cli/bench_command.h"
#include "cli/check_command.h"
#include "cli/cxx_command.h"
#include "cli/exit_code.h"
#include "cli/print_error.h"
#include "cli/replay_command.h"
#include "cli/report_command.h"
#include "cli/tour_command.h"
#include "cli/watch_command.h"
#include "thrum/config.h"

namespace {

using namespace thrum::cli;

bool has_command(const CLI::App& app, const std::string& name) {
  return std::ranges::any_of(app.get_subcommands([](const CLI::App*) { return true; }),
                             [&](const CLI::App* command) { return command->get_name() == name; });
}

int run(int argc, char** argv) {
  CLI::App app("Threads, locks and queues that can be watched and checked.", "thrum");
  app.set_version_flag("--version", "thrum " THRUM_VERSION);
  app.require_subcommand(1);
  app.footer(
      "thrum COMMAND --help says more. Exit codes: 0 clean, 1 something found, 2 usage,\n"
      "3 thrum itself failed, 130 Ctrl-C.");
  app.get_option("--help")->description("Print this help");
  app.get_option("--version")->description("Print the version");
  app.get_formatter()->column_width(22);

  int exit_code = kClean;
  add_tour_command(app, exit_code);
  add_watch_command(app, exit_code);
  add_report_command(app, exit_code);
  add_check_command(app, exit_code);
  add_replay_command(app, exit_code);
  add_cxx_command(app, exit_code);
  add_bench_command(app, exit_code);
  if (argc == 1) {
    fmt::print("{}", app.help());
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const std::string first = argv[1];
    if (!first.starts_with('-') && !has_command(app, first)) {
      print_error(first, "there is no such command, see thrum --help");
    } else if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
      // It says "The following argument was not expected: --bogus".
      const std::string what = error.what();
      const std::size_t colon = what.find(": ");
      print_error(colon == std::string::npos ? what : what.substr(colon + 2),
                  "not expected, see thrum --help");
    } else {
      fmt::print(stderr, "thrum: {}, see thrum --help\n", error.what());
    }
    return kUsage;
  }
  return exit_code;
}

// What was printed may have gone nowhere: a full disk shows at the end.
int check_output(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  if (errno != EPIPE) {
    fmt::print(stderr, "thrum: standard output: {}\n", std::generic_category().message(errno));
  }
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return check_output(run(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "thrum: failed: {}\n", error.what());
    return kFailed;
  }
}
