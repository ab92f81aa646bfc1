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
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/exit_code.h"
#include "cli/findings.h"
#include "cli/print_error.h"
#include "explore/campaign.h"
#include "explore/code_scan.h"
#include "explore/report.h"
#include "explore/words.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::cli {
namespace {

using check::StrategyId;
using explore::End;

constexpr StrategyId kStrategies[] = {StrategyId::random, StrategyId::pct,  StrategyId::pos,
                                      StrategyId::urw,    StrategyId::surw, StrategyId::rff,
                                      StrategyId::dfs};

struct Settings {
  explore::Options explore;
  std::string strategy = "rotation";
  std::string time = "60s";
  std::string timeouts = "some";
  std::string patience = "10s";
  bool no_races = false;
  bool no_leaks = false;
  Forms forms;
  unsigned findings = 0;  // so far, over all campaigns
};

// relaxed: only looked at between schedules
constinit std::atomic<int> interrupted{0};

void on_signal(int signal) {
  if (interrupted.exchange(signal, std::memory_order_relaxed) != 0) _exit(128 + signal);
}

std::string rate(const explore::Progress& progress) {
  const double seconds = std::max(progress.time.count(), 1e-6);
  return text::grouped(
      static_cast<std::uint64_t>(static_cast<double>(progress.counts.schedules) / seconds));
}

std::string seconds(const explore::Progress& progress) {
  return fmt::format("{:.1f} s", progress.time.count());
}

// On a terminal only; never longer than a line of it, which could not be taken back.
class ProgressLine {
 public:
  explicit ProgressLine(const text::Terminal& terminal) : terminal_(terminal) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void show(const explore::Progress& progress) {
    if (!terminal_.redraws) return;
    std::string line =
        fmt::format("  {} schedules, {} per second, {}", text::grouped(progress.counts.schedules),
                    rate(progress), seconds(progress));
    std::string strategies;
    for (const StrategyId id : kStrategies) {
      if (progress.counts.by_strategy[static_cast<std::size_t>(id)] == 0) continue;
      strategies += fmt::format("{}{}", strategies.empty() ? "; " : " ", explore::name_of(id));
    }
    if (text::columns_of(line + strategies) < terminal_.width) line += strategies;
    fmt::print(stderr, "\r\x1b[K{}",
               terminal_.render(text::ink(text::kDim, text::fit(line, terminal_.width - 1))));
    std::fflush(stderr);
    drawn_ = true;
  }
  void clear() {
    if (drawn_) fmt::print(stderr, "\r\x1b[K");
    drawn_ = false;
  }

 private:
  text::Terminal terminal_;
  bool drawn_ = false;
};

// Returns how it was found, in a line.
std::string how_found(const explore::Finding& finding, unsigned preemptions) {
  if (!finding.repeats && !finding.is_whole) {
    return fmt::format(
        "its schedule is too long to be kept: more than {} switches; a smaller test can be "
        "replayed",
        text::grouped(check::kSwitches));
  }
  if (!finding.repeats) {
    return "it did not happen again in the same schedule: something in the program is not "
           "controlled";
  }
  return fmt::format("found in schedule {} ({}); {} of {} switches needed, {} preemption{}",
                     text::grouped(finding.schedule_number + 1), explore::name_of(finding.strategy),
                     finding.replay.schedule.switches.size(), finding.switches_before, preemptions,
                     preemptions == 1 ? "" : "s");
}

std::string_view name_of(End end) {
  switch (end) {
    case End::budget:
      return "budget";
    case End::found:
      return "found";
    case End::exhausted:
      return "all seen";
    case End::no_threads:
      return "no threads";
    case End::unsupported:
      return "unsupported";
    case End::interrupted:
      return "interrupted";
    case End::too_long:
      return "too long";
  }
  return "";
}

// What the verdict does not speak for, a line each.
std::vector<std::string> reservations(const explore::Outcome& outcome) {
  std::vector<std::string> lines;
  for (std::uint32_t kind = 0; kind < check::kUncontrolledKinds; ++kind) {
    if ((outcome.uncontrolled >> kind & 1) == 0) continue;
    lines.push_back(fmt::format("{} controlled", explore::sentence(1U << kind)));
  }
  for (const std::string& module : outcome.not_suppressed) {
    lines.push_back(fmt::format("--suppress {}: no module of that name is loaded", module));
  }
  return lines;
}

void print_json(const explore::Outcome& outcome, const Settings& settings,
                const std::string& finding) {
  const analysis::Json json{{"command", command_line(settings.explore.command)},
                            {"end", name_of(outcome.end)},
                            {"schedules", outcome.progress.counts.schedules},
                            {"cut_off", outcome.progress.counts.cut_off},
                            {"assumed_away", outcome.progress.counts.assumed_away},
                            {"compared", outcome.progress.counts.compared},
                            {"seconds", outcome.progress.time.count()},
                            {"not_controlled", reservations(outcome)},
                            {"forks", outcome.fork_reason}};
  std::string line = json.dump(-1, ' ', false, analysis::Json::error_handler_t::replace);
  if (!finding.empty()) line.insert(line.size() - 1, ",\"finding\":" + finding);
  fmt::print("{}\n", line);
}

void print_end(const explore::Outcome& outcome, std::uint32_t max_steps) {
  const explore::Progress& progress = outcome.progress;
  const std::uint64_t cut_off = progress.counts.cut_off;
  const std::string whole = text::grouped(progress.counts.schedules - cut_off);
  const std::string too_long =
      fmt::format("cut off after {} steps (--steps)", text::grouped(max_steps));
  switch (outcome.end) {
    case End::budget:
    case End::interrupted:
      fmt::print("  nothing found in {} schedules, {}\n", whole, seconds(progress));
      break;
    case End::exhausted:
      fmt::print("  nothing found in {} schedules, which are all there are\n", whole);
      break;
    case End::no_threads:
      fmt::print("  it started no thread: there is nothing to schedule\n");
      break;
    case End::too_long:
      fmt::print("  nothing is known: all of {} schedules were too long, and {}\n",
                 text::grouped(cut_off), too_long);
      return;
    default:
      break;
  }
  if (cut_off != 0)
    fmt::print("  {} more were too long, and {}\n", text::grouped(cut_off), too_long);
  if (progress.counts.assumed_away != 0) {
    fmt::print("  {} of them were left at an assume()\n",
               text::grouped(progress.counts.assumed_away));
  }
}

int tell_finding(const text::Terminal& terminal, const explore::Outcome& outcome,
                 Settings& settings) {
  const explore::Finding& finding = *outcome.finding;
  const std::vector<std::string>& command = settings.explore.command;
  const explore::Story story = explore::tell(finding.execution);
  explore::Circumstances circumstances;
  circumstances.command = command_line(command);
  circumstances.preemptions = explore::preemptions(story);
  circumstances.found = how_found(finding, circumstances.preemptions);
  if (finding.repeats) circumstances.replay = replay_line(finding.replay, command);
  if (settings.forms.json) {
    print_json(outcome, settings, explore::json(story, circumstances));
  } else {
    print_story(terminal, story);
    fmt::print("  {}\n", circumstances.found);
    if (finding.repeats) {
      fmt::print("  {}\n", circumstances.replay);
    } else {
      fmt::print("  (see Limits in docs/check.md)\n");
    }
  }
  const int code = write_files(settings.forms, story, circumstances, command, ++settings.findings);
  return code == kClean ? kFoundSomething : code;
}

// One campaign. Returns the exit code.
int check_one(const explore::Program& program, Settings& settings, const text::Terminal& terminal,
              bool& more) {
  ProgressLine line(text::Terminal::of(STDERR_FILENO, false));
  const explore::Outcome outcome =
      explore::explore(program, settings.explore, [&](const explore::Progress& progress) {
        line.show(progress);
        return interrupted.load(std::memory_order_relaxed) == 0;
      });
  line.clear();
  more = outcome.explorations > settings.explore.exploration;
  const bool for_people = !settings.forms.json;
  if (for_people && !outcome.fork_reason.empty() && !settings.explore.fork) {
    fmt::print("  each schedule in a fork of its own: {}\n", outcome.fork_reason);
  }
  if (!outcome.blind.empty() && settings.explore.races) {
    fmt::print(
        "  races are no findings here: {} was not compiled by thrum c++, and\n"
        "  may order threads by atomics that are not seen\n",
        text::printable(outcome.blind));
  }
  for (const std::string& each : reservations(outcome)) {
    if (for_people) fmt::print("  {}\n", text::printable(each));
  }
  if (outcome.end == End::unsupported) {
    print_error(settings.explore.command.front(),
                fmt::format("it uses {}, which thrum check does not control", outcome.unsupported));
    return kFailed;
  }
  if (outcome.finding) return tell_finding(terminal, outcome, settings);
  if (more || settings.explore.exploration == 0) {
    if (for_people) {
      print_end(outcome, settings.explore.max_steps);
    } else {
      print_json(outcome, settings, {});
    }
  }
  const int signal = interrupted.load(std::memory_order_relaxed);
  if (signal != 0) return 128 + signal;
  return outcome.end == End::too_long ? kFailed : kClean;
}

bool parse_time(const std::string& text, std::chrono::milliseconds& time) {
  constexpr double kMost = 3.6e6 * 24 * 365;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string_view unit = end;
  const double factor = unit == "ms"                  ? 1
                        : unit == "s" || unit.empty() ? 1e3
                        : unit == "min"               ? 6e4
                        : unit == "h"                 ? 3.6e6
                                                      : 0;
  const double ms = value * factor;
  if (end == text.c_str() || !(ms >= 1 && ms <= kMost)) return false;
  time = std::chrono::milliseconds(static_cast<std::int64_t>(ms));
  return true;
}

StrategyId strategy_named(const std::string& name) {
  for (const StrategyId id : kStrategies) {
    if (name == explore::name_of(id)) return id;
  }
  return StrategyId::rotation;
}

// The tests of a program that uses GoogleTest: each is a campaign. None if the caller has chosen.
std::vector<std::string> tests_of(const explore::Program& program,
                                  const std::vector<std::string>& command) {
  const bool is_chosen = std::ranges::any_of(
      command, [](const std::string& argument) { return argument.starts_with("--gtest_"); });
  if (!program.uses_gtest || is_chosen) return {};
  std::vector<std::string> words = command;
  words.front() = program.path.string();
  const std::string line = command_line(words);
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
  if (program.is_instrumented) {
    const explore::UnseenCode unseen = explore::unseen_code(program);
    for (const auto& [functions, what] :
         {std::pair(&unseen.atomics, "atomic instructions"),
          std::pair(&unseen.system_calls, "system calls in assembly")}) {
      if (functions->empty()) continue;
      const std::size_t more = functions->size() - 1;
      fmt::print(stderr, "thrum: {}: {}{} {} {} that are not seen: not compiled by thrum c++\n",
                 text::printable(program.path.string()), text::printable(functions->front()),
                 more == 0 ? "" : fmt::format(" and {} more", more), more == 0 ? "has" : "have",
                 what);
    }
    return;
  }
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
  return guarded(settings.explore.command, [&] {
    if (!parse_time(settings.time, settings.explore.time)) {
      print_error("--time " + settings.time, "not a time, such as 500ms, 60s, 5min");
      return kUsage;
    }
    if (!parse_time(settings.patience, settings.explore.patience)) {
      print_error("--patience " + settings.patience, "not a time, such as 500ms, 60s, 5min");
      return kUsage;
    }
    check::Job job{};
    for (const std::string& module : settings.explore.suppressed) {
      if (explore::can_be_suppressed(module)) continue;
      print_error("--suppress " + text::printable(module),
                  "not the name of a library or program, without folders");
      return kUsage;
    }
    if (!explore::suppress(job, settings.explore.suppressed)) {
      print_error("--suppress", fmt::format("more than {} modules", check::kPatterns));
      return kUsage;
    }
    if (!can_be_made(settings.forms)) return kUsage;
    const text::Terminal terminal = text::Terminal::of_stdout(settings.forms.no_colour);
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
      if (!settings.forms.json) fmt::print("{}\n", text::printable(test));
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
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--strategy", settings->strategy,
                   "Who goes next: rotation (of those that follow),\n"
                   "random, urw, surw, pos, rff, pct; or dfs, which\n"
                   "tries all")
      ->option_text("NAME")
      ->check(CLI::IsMember({"rotation", "random", "urw", "surw", "pos", "rff", "pct", "dfs"}));
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
      ->option_text("N")
      ->check(CLI::Range(1U, 1U << 30));
  command
      ->add_option("--patience", settings->patience,
                   "A program hangs if it computes, or sleeps, for this\n"
                   "long without coming to a point at which threads\n"
                   "could switch: 10s")
      ->option_text("TIME");
  command->add_flag("--fork", options.fork, "A fresh process for each schedule");
  command->add_flag("--no-races", settings->no_races, "Data races are no findings");
  command
      ->add_option("--suppress", options.suppressed,
                   "Data races are no findings if one of the accesses\n"
                   "is in this library or program: 'libfoo.so*'. May be\n"
                   "given more than once")
      ->option_text("MODULE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--no-leaks", settings->no_leaks, "Threads and locks left over are none");
  command->add_flag("--output", options.show_output, "Show what the program writes");
  add_forms(*command, settings->forms, SaveTest::yes);
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

}  // namespace thrum::cli
