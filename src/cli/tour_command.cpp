// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour_command.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/exit_code.h"
#include "cli/print_error.h"
#include "cli/stop_on_signal.h"
#include "cli/tour/section.h"

namespace thrum::cli {
namespace {

struct TourOptions {
  std::string path;
  std::vector<std::string> only;
  std::size_t workers = std::max(1U, std::thread::hardware_concurrency());
  bool json = false;
  bool no_colour = false;
};

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  utsname system{};
  return uname(&system) == 0 ? fmt::format("{} processor", system.machine) : "unknown processor";
}

Facts machine() {
  utsname system{};
  const bool known = uname(&system) == 0;
  return {{"machine_cpu", cpu_name()},
          {"cpus", std::thread::hardware_concurrency()},
          {"system", known ? fmt::format("{} {}", system.sysname, system.release) : "unknown"}};
}

// Returns 0 if the tour may work on the path, else an exit code, after saying why.
int check_path(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    print_error(path, std::generic_category().message(errno));
    return kUsage;
  }
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    print_error(path, "neither a folder nor a regular file");
    return kUsage;
  }
  return kClean;
}

int take_tour(const TourOptions& options) {
  std::string path = options.path;
  std::vector<std::string> exclude;
  if (path.empty()) {
    path = ".";
    exclude = {".git", "build"};
  }
  if (const int code = check_path(path); code != kClean) return code;

  const StopOnSignal interrupt;
  const std::unique_ptr<Report> report =
      options.json ? make_json_report() : make_text_report(Terminal::of_stdout(options.no_colour));
  Tour tour{*report, interrupt.token(), path, exclude, options.workers};

  report->set_stop(tour.stop);
  report->open(machine());
  std::string last;
  int number = 0;
  for (const Section& section : sections()) {
    ++number;
    if (!options.only.empty() &&
        std::ranges::find(options.only, section.name) == options.only.end()) {
      continue;
    }
    if (tour.stop.stop_requested()) break;
    report->begin({number, section.name, section.title, section.about});
    section.run(tour);
    report->end();
    last = section.name;
  }

  const int signal = interrupt.signal();
  const std::string name = signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "";
  report->close(name);
  if (signal != 0) {
    print_error("tour", last.empty() ? fmt::format("stopped by {}", name)
                                     : fmt::format("stopped by {} during {}", name, last));
    return 128 + signal;
  }
  return report->found_something() ? kFoundSomething : kClean;
}

}  // namespace

void add_tour_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<TourOptions>();
  std::vector<std::string> names;
  for (const Section& section : sections()) names.emplace_back(section.name);
  const std::string list = fmt::format("{}", fmt::join(names, ", "));

  CLI::App* const tour = app.add_subcommand("tour", "Walk through threading, with code that runs");
  tour->add_option("PATH", options->path,
                   "Folder or file that the pipeline reads, in full.\n"
                   "Without it: the current folder without .git, build")
      ->type_name("");
  tour->add_option("--only", options->only,
                   fmt::format("Only this section; may be repeated. There are\n{},\n{}",
                               fmt::join(names.begin(), names.begin() + 6, ", "),
                               fmt::join(names.begin() + 6, names.end(), ", ")))
      ->option_text("SECTION")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Validator(
          [names, list](const std::string& name) {
            return std::ranges::find(names, name) != names.end()
                       ? std::string()
                       : fmt::format("no section is called {}; there are {}", name, list);
          },
          ""));
  tour->add_option("--workers", options->workers,
                   "Threads that read, and as many that count: 1 to 1024.\n"
                   "Without it: one for each CPU")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  tour->add_flag("--json", options->json, "Print nothing but JSON");
  tour->add_flag("--no-color", options->no_colour, "No colour; so does NO_COLOR=1");
  tour->get_option("--help")->description("Print this help");
  tour->get_formatter()->column_width(22);
  tour->footer(
      "Examples:\n"
      "  thrum tour                        all of it\n"
      "  thrum tour ~/src --only queue     count the words below ~/src\n"
      "  thrum tour --json --only lock     for a program\n"
      "\n"
      "Exit codes: 0 clean, 1 something found (files that could not be read, say),\n"
      "2 usage, 3 thrum itself failed, 130 Ctrl-C.");
  tour->callback([options, &exit_code] { exit_code = take_tour(*options); });
}

}  // namespace thrum::cli
