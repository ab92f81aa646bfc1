// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/check_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "cli/exit_code.h"
#include "cli/print_error.h"
#include "explore/campaign.h"
#include "explore/report.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::cli {
namespace {

using explore::End;

struct Settings {
  explore::Options explore;
  std::string strategy = "rotation";
  std::string time = "60s";
  std::string timeouts = "some";
  std::string patience = "10s";
  std::string replay;
  bool no_races = false;
  bool no_leaks = false;
  bool no_colour = false;
};

// relaxed: only looked at between schedules
constinit std::atomic<int> interrupted{0};

void on_signal(int signal) {
  if (interrupted.exchange(signal, std::memory_order_relaxed) != 0) _exit(128 + signal);
}

void print(const text::Terminal& terminal, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print("  {}\n", terminal.render(line));
}

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_-+=./,:@%") == std::string::npos) {
    return word;
  }
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string command_line(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) line += " " + quoted(word);
  return line;
}

std::string rate(const explore::Progress& progress) {
  const double seconds = std::max(progress.time.count(), 1e-6);
  return text::grouped(
      static_cast<std::uint64_t>(static_cast<double>(progress.counts.schedules) / seconds));
}

std::string seconds(const explore::Progress& progress) {
  return fmt::format("{:.1f} s", progress.time.count());
}

class ProgressLine {
 public:
  explicit ProgressLine(bool shown) : shown_(shown) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void show(const explore::Progress& progress) {
    if (!shown_) return;
    fmt::print(stderr, "\r\x1b[K  {} schedules, {} per second, {}",
               text::grouped(progress.counts.schedules), rate(progress), seconds(progress));
    std::fflush(stderr);
    drawn_ = true;
  }
  void clear() {
    if (drawn_) fmt::print(stderr, "\r\x1b[K");
    drawn_ = false;
  }

 private:
  bool shown_;
  bool drawn_ = false;
};

void print_execution(const text::Terminal& terminal, const explore::Execution& execution) {
  // A file is as wide as it needs to be.
  constexpr std::size_t kColumn = 56;
  const std::size_t width =
      terminal.redraws ? std::max<std::size_t>(terminal.width, 60) - 2
                       : std::max<std::size_t>(terminal.width, kColumn * execution.threads.size());
  print(terminal, explore::headline(execution));
  fmt::print("\n");
  print(terminal, explore::schedule_table(execution, width));
  fmt::print("\n");
}

void print_finding(const text::Terminal& terminal, const explore::Finding& finding,
                   const Settings& settings) {
  print_execution(terminal, finding.execution);
  const auto preemptions = std::ranges::count_if(
      finding.execution.events,
      [](const check::Event& event) { return (event.flags & check::kPreempts) != 0; });
  if (!finding.repeats) {
    fmt::print(
        "  It did not happen again in the same schedule: something in the program is not\n"
        "  controlled (see Limits in docs/check.md).\n");
    return;
  }
  fmt::print("  found in schedule {} ({}); {} of {} switches needed, {} preemption{}\n",
             text::grouped(finding.schedule_number + 1), explore::name_of(finding.strategy),
             finding.replay.schedule.switches.size(), finding.switches_before, preemptions,
             preemptions == 1 ? "" : "s");
  fmt::print("  thrum replay '{}' --{}\n", explore::to_string(finding.replay),
             command_line(settings.explore.command));
}

void print_end(const explore::Outcome& outcome) {
  const explore::Progress& progress = outcome.progress;
  switch (outcome.end) {
    case End::budget:
    case End::interrupted:
      fmt::print("  nothing found in {} schedules, {}\n", text::grouped(progress.counts.schedules),
                 seconds(progress));
      break;
    case End::exhausted:
      fmt::print("  nothing found in {} schedules, which are all there are\n",
                 text::grouped(progress.counts.schedules));
      break;
    case End::no_threads:
      fmt::print("  it started no thread: there is nothing to schedule\n");
      break;
    default:
      break;
  }
  if (progress.counts.cut_off != 0) {
    fmt::print("  {} of them were cut off: too many steps (--steps)\n",
               text::grouped(progress.counts.cut_off));
  }
  if (progress.counts.assumed_away != 0) {
    fmt::print("  {} of them were left at an assume()\n",
               text::grouped(progress.counts.assumed_away));
  }
}

// One campaign. Returns the exit code.
int check_one(const explore::Program& program, Settings& settings, const text::Terminal& terminal,
              bool& more) {
  ProgressLine line(text::Terminal::of(STDERR_FILENO, false).redraws);
  const explore::Outcome outcome =
      explore::explore(program, settings.explore, [&](const explore::Progress& progress) {
        line.show(progress);
        return interrupted.load(std::memory_order_relaxed) == 0;
      });
  line.clear();
  more = outcome.explorations > settings.explore.exploration;
  if (!outcome.fork_reason.empty() && !settings.explore.fork) {
    fmt::print("  each schedule in a fork of its own: {}\n", outcome.fork_reason);
  }
  if (!outcome.blind.empty() && settings.explore.races) {
    fmt::print(
        "  races are no findings here: {} was not compiled by thrum c++, and\n"
        "  may order threads by atomics that are not seen\n",
        text::printable(outcome.blind));
  }
  if (outcome.end == End::unsupported) {
    print_error(settings.explore.command.front(),
                fmt::format("it uses {}, which thrum check does not control", outcome.unsupported));
    return kFailed;
  }
  if (outcome.finding) {
    print_finding(terminal, *outcome.finding, settings);
    return kFoundSomething;
  }
  if (more || settings.explore.exploration == 0) print_end(outcome);
  const int signal = interrupted.load(std::memory_order_relaxed);
  return signal != 0 ? 128 + signal : kClean;
}

bool parse_time(const std::string& text, std::chrono::milliseconds& time) {
  double value = 0;
  char unit[8] = "s";
  const int n = std::sscanf(text.c_str(), "%lf%7s", &value, unit);
  const std::string name = unit;
  const double factor = name == "ms"    ? 1
                        : name == "s"   ? 1e3
                        : name == "min" ? 6e4
                        : name == "h"   ? 3.6e6
                                        : 0;
  if (n < 1 || value < 0 || factor == 0) return false;
  time = std::chrono::milliseconds(static_cast<std::int64_t>(value * factor));
  return true;
}

check::StrategyId strategy_named(const std::string& name) {
  using enum check::StrategyId;
  for (const check::StrategyId id : {random, pct, pos, urw, dfs}) {
    if (name == explore::name_of(id)) return id;
  }
  return rotation;
}

template <class Body>
int guarded(const Settings& settings, Body body) {
  try {
    return body();
  } catch (const explore::CannotCheck& error) {
    print_error(settings.explore.command.front(), error.what());
    return kUsage;
  } catch (const std::system_error& error) {
    print_error(settings.explore.command.front(), error.what());
    return kFailed;
  }
}

// The tests of a program that uses GoogleTest: each is a campaign. None if the caller has chosen.
std::vector<std::string> tests_of(const explore::Program& program,
                                  const std::vector<std::string>& command) {
  const bool is_chosen = std::ranges::any_of(
      command, [](const std::string& argument) { return argument.starts_with("--gtest_"); });
  if (!program.uses_gtest || is_chosen) return {};
  std::string line = quoted(program.path.string());
  for (std::size_t i = 1; i < command.size(); ++i) line += " " + quoted(command[i]);
  FILE* const pipe = popen((line + " --gtest_list_tests 2>/dev/null").c_str(), "re");
  if (pipe == nullptr) return {};
  std::string output;
  char piece[4096];
  for (std::size_t n = 0; (n = std::fread(piece, 1, sizeof piece, pipe)) > 0;) {
    output.append(piece, n);
  }
  pclose(pipe);
  // "Suite." and below it, indented, its tests; comments begin with a hash mark.
  std::vector<std::string> tests;
  std::string suite;
  std::istringstream lines(output);
  for (std::string text; std::getline(lines, text);) {
    const bool is_test = text.starts_with("  ");
    std::string name = is_test ? text.substr(2) : text;
    name = name.substr(0, name.find_first_of(" #"));
    if (name.empty()) continue;
    if (is_test && !suite.empty()) {
      if (!name.starts_with("DISABLED_") && !suite.starts_with("DISABLED_")) {
        tests.push_back(suite + name);
      }
    } else if (name.ends_with('.')) {
      suite = name;
    }
  }
  return tests;
}

void warn_of_blindness(const explore::Program& program) {
  if (!program.openmp.empty()) {
    fmt::print(stderr,
               "thrum: {}: it is linked with {}: the threads of OpenMP are not controlled\n",
               text::printable(program.path.string()), text::printable(program.openmp));
  }
  if (program.is_instrumented) return;
  fmt::print(
      stderr,
      "thrum: {}: not compiled by thrum c++: threads switch at calls of pthread, semaphores\n"
      "and futexes only; atomics, data races and spin loops are not seen\n",
      text::printable(program.path.string()));
}

// Each explore() of the program is a campaign; a program without is one.
int check_explorations(const explore::Program& program, Settings& settings,
                       const text::Terminal& terminal) {
  for (bool more = true; more; ++settings.explore.exploration) {
    const int code = check_one(program, settings, terminal, more);
    if (code != kClean) return code;
  }
  return kClean;
}

int check(Settings& settings) {
  return guarded(settings, [&] {
    if (!parse_time(settings.time, settings.explore.time)) {
      print_error("--time " + settings.time, "not a time, such as 500ms, 60s, 5min");
      return kUsage;
    }
    if (!parse_time(settings.patience, settings.explore.patience)) {
      print_error("--patience " + settings.patience, "not a time, such as 500ms, 60s, 5min");
      return kUsage;
    }
    const text::Terminal terminal = text::Terminal::of_stdout(settings.no_colour);
    const explore::Program program = explore::examine(settings.explore.command.front());
    settings.explore.strategy = strategy_named(settings.strategy);
    settings.explore.races = !settings.no_races;
    settings.explore.leaks = !settings.no_leaks;
    settings.explore.timeouts = settings.timeouts == "any"    ? check::Timeouts::any
                                : settings.timeouts == "last" ? check::Timeouts::last
                                                              : check::Timeouts::some;
    warn_of_blindness(program);
    struct sigaction action{};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    const std::vector<std::string> tests = tests_of(program, settings.explore.command);
    if (tests.empty()) return check_explorations(program, settings, terminal);
    settings.explore.time /= static_cast<std::int64_t>(tests.size());
    const std::vector<std::string> command = settings.explore.command;
    int code = kClean;
    for (const std::string& test : tests) {
      fmt::print("{}\n", text::printable(test));
      settings.explore.command = command;
      settings.explore.command.push_back("--gtest_filter=" + test);
      settings.explore.exploration = 0;
      const int result = check_explorations(program, settings, terminal);
      if (result > kFoundSomething) return result;
      code = std::max(code, result);
    }
    return code;
  });
}

int replay(Settings& settings) {
  return guarded(settings, [&] {
    const std::optional<explore::Replay> wanted = explore::parse_replay(settings.replay);
    if (!wanted) {
      print_error(settings.replay, "not a schedule as thrum check prints it");
      return kUsage;
    }
    const text::Terminal terminal = text::Terminal::of_stdout(settings.no_colour);
    const explore::Program program = explore::examine(settings.explore.command.front());
    settings.explore.races = wanted->races;
    settings.explore.leaks = wanted->leaks;
    settings.explore.timeouts = wanted->timeouts;
    settings.explore.exploration = wanted->exploration;
    settings.explore.max_steps = wanted->max_steps;
    const explore::Execution execution = explore::replay(program, settings.explore, *wanted);
    print_execution(terminal, execution);
    if (execution.result.hash == wanted->hash) {
      fmt::print("  replayed: the same {} steps\n", execution.result.steps);
    } else {
      const auto& happened = execution.schedule.switches;
      const auto& expected = wanted->schedule.switches;
      std::size_t same = 0;
      while (same < happened.size() && same < expected.size() &&
             happened[same].check == expected[same].check &&
             happened[same].step == expected[same].step) {
        ++same;
      }
      fmt::print(
          "  not the same execution: it differs {}{}\n",
          same < expected.size()
              ? fmt::format("before switch {} of {} (step {} of thread {})", same + 1,
                            expected.size(), expected[same].step, expected[same].thread)
              : std::string("after the last switch"),
          program.build_id != wanted->build_id ? "; the program has been built anew since" : "");
    }
    return check::is_finding(execution.result.outcome) ? kFoundSomething : kClean;
  });
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
  const auto settings = std::make_shared<Settings>();
  settings->explore.workers = std::max(1U, std::thread::hardware_concurrency());
  CLI::App* const command =
      app.add_subcommand("check", "Find the schedule that breaks a threaded program");
  explore::Options& options = settings->explore;
  command->add_option("COMMAND", options.command, "The program and its arguments, after --")
      ->type_name("")
      ->required();
  command->add_option("--time", settings->time, "Stop after this time: 60s")->option_text("TIME");
  command->add_option("--schedules", options.schedules, "Stop after so many schedules")
      ->option_text("N");
  command
      ->add_option("--strategy", settings->strategy,
                   "Who goes next: rotation (of those that follow),\n"
                   "random, pct, pos, urw; or dfs, which tries all")
      ->option_text("NAME")
      ->check(CLI::IsMember({"rotation", "random", "pct", "pos", "urw", "dfs"}));
  command->add_option("--depth", options.depth, "pct: the bug's depth; dfs: most preemptions")
      ->option_text("N")
      ->check(CLI::Range(0, 255));
  command->add_option("--seed", options.seed, "Another seed, other schedules: 1")->option_text("N");
  command->add_option("-j,--jobs", options.workers, "How many at a time: one per core")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--timeouts", settings->timeouts,
                   "When timed waits give up: last (if nothing else\n"
                   "can run), any (whenever), some (whenever, in one\n"
                   "of four schedules; the default)")
      ->option_text("WHEN")
      ->check(CLI::IsMember({"last", "any", "some"}));
  command->add_option("--steps", options.max_steps, "Cut off after so many steps: 20000")
      ->option_text("N");
  command
      ->add_option("--patience", settings->patience,
                   "A program hangs if it comes to no point at which\n"
                   "threads could switch for this long: 10s")
      ->option_text("TIME");
  command->add_flag("--fork", options.fork, "A fresh process for each schedule");
  command->add_flag("--no-races", settings->no_races, "Data races are no findings");
  command->add_flag("--no-leaks", settings->no_leaks, "Threads and locks left over are none");
  command->add_flag("--output", options.show_output, "Show what the program writes");
  command->add_flag("--no-color", settings->no_colour, "No colour; so does NO_COLOR=1");
  command->get_option("--help")->description("Print this help");
  command->get_formatter()->column_width(22);
  command->footer(
      "Examples:\n"
      "  thrum c++ -std=c++20 test.cpp -o test   compile so that all is seen\n"
      "  thrum check -- ./test                   find the schedule that breaks it\n"
      "  thrum replay 'check1:...' -- ./test     see it again\n"
      "\n"
      "Exit codes: 0 nothing found, 1 found, 2 usage, 3 thrum failed, 130 Ctrl-C.");
  command->callback([settings, &exit_code] { exit_code = check(*settings); });
}

void add_replay_command(CLI::App& app, int& exit_code) {
  const auto settings = std::make_shared<Settings>();
  CLI::App* const command =
      app.add_subcommand("replay", "Run a program under one schedule that thrum check found");
  command->add_option("SCHEDULE", settings->replay, "As thrum check printed it: check1:...")
      ->type_name("")
      ->required();
  command
      ->add_option("COMMAND", settings->explore.command, "The program and its arguments, after --")
      ->type_name("")
      ->required();
  command->add_flag("--output", settings->explore.show_output, "Show what the program writes");
  command->add_flag("--no-color", settings->no_colour, "No colour; so does NO_COLOR=1");
  command->get_option("--help")->description("Print this help");
  command->get_formatter()->column_width(22);
  command->footer("Exit codes: 1 it failed again, 0 it did not, 2 usage, 3 thrum itself failed.");
  command->callback([settings, &exit_code] { exit_code = replay(*settings); });
}

}  // namespace thrum::cli
