// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/replay_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/findings.h"
#include "cli/print_error.h"
#include "explore/campaign.h"
#include "explore/report.h"
#include "text/terminal.h"

namespace thrum::cli {
namespace {

struct Settings {
  explore::Options explore;
  std::string schedule;
  bool gdb = false;
  bool threads = false;
  Forms forms;
};

// Returns in a line whether the execution was the one that was wanted, and if not, where they part.
std::string how_it_went(const explore::Execution& execution, const explore::Replay& wanted,
                        const explore::Program& program) {
  if (execution.result.hash == wanted.hash) {
    return fmt::format("replayed: the same {} steps", execution.result.steps);
  }
  const auto& happened = execution.schedule.switches;
  const auto& expected = wanted.schedule.switches;
  std::size_t same = 0;
  while (same < happened.size() && same < expected.size() &&
         happened[same].check == expected[same].check &&
         happened[same].step == expected[same].step) {
    ++same;
  }
  return fmt::format(
      "not the same execution: it differs {}{}",
      same < expected.size()
          ? fmt::format("before switch {} of {} (step {} of thread {})", same + 1, expected.size(),
                        expected[same].step, expected[same].thread)
          : std::string("after the last switch"),
      program.build_id != wanted.build_id ? "; the program has been built anew since" : "");
}

int replay(Settings& settings) {
  const std::vector<std::string>& command = settings.explore.command;
  return guarded(command, [&] {
    const std::optional<explore::Replay> wanted = explore::parse_replay(settings.schedule);
    if (!wanted) {
      print_error(settings.schedule, "not a schedule as thrum check prints it");
      return kUsage;
    }
    if (settings.gdb && settings.threads) {
      print_error("--gdb --threads", "--gdb has threads of the system already");
      return kUsage;
    }
    if (!can_be_made(settings.forms)) return kUsage;
    const text::Terminal terminal = text::Terminal::of_stdout(settings.forms.no_colour);
    const explore::Program program = explore::examine(command.front());
    settings.explore.races = wanted->races;
    settings.explore.leaks = wanted->leaks;
    settings.explore.suppressed = wanted->suppressed;
    settings.explore.timeouts = wanted->timeouts;
    settings.explore.exploration = wanted->exploration;
    settings.explore.max_steps = wanted->max_steps;
    const explore::Execution execution =
        explore::replay(program, settings.explore, *wanted,
                        settings.threads ? explore::Threads::own : explore::Threads::fibers);
    const explore::Story story = explore::tell(execution);
    explore::Circumstances circumstances;
    circumstances.command = command_line(command);
    circumstances.found = how_it_went(execution, *wanted, program);
    circumstances.replay = replay_line(*wanted, command);
    circumstances.preemptions = explore::preemptions(story);
    if (settings.forms.json) {
      fmt::print("{}\n", explore::json(story, circumstances));
    } else {
      print_story(terminal, story);
      fmt::print("  {}\n", circumstances.found);
    }
    const int code = write_files(settings.forms, story, circumstances, command, 1);
    if (settings.gdb) {
      std::fflush(stdout);
      explore::debug(program, settings.explore, execution);
    }
    if (code != kClean) return code;
    return check::is_finding(execution.result.outcome) ? kFoundSomething : kClean;
  });
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
  const auto settings = std::make_shared<Settings>();
  CLI::App* const command =
      app.add_subcommand("replay", "Run a program under one schedule that thrum check found");
  command->add_option("SCHEDULE", settings->schedule, "As thrum check printed it: check1:...")
      ->type_name("")
      ->required();
  command
      ->add_option("COMMAND", settings->explore.command, "The program and its arguments, after --")
      ->type_name("")
      ->required();
  command->add_flag("--gdb", settings->gdb,
                    "Then again in gdb, with threads of the system, to\nwhere it fails");
  command->add_flag("--threads", settings->threads,
                    "With a thread of the system for each, not fibers:\nslower, the same steps");
  command->add_flag("--output", settings->explore.show_output, "Show what the program writes");
  add_forms(*command, settings->forms, SaveTest::no);
  command->get_option("--help")->description("Print this help");
  command->get_formatter()->column_width(22);
  command->footer(
      "Exit codes: 1 it failed again, 0 it did not, 2 usage, 3 thrum failed;\n"
      "with --gdb, those of gdb.");
  command->callback([settings, &exit_code] { exit_code = replay(*settings); });
}

}  // namespace thrum::cli
