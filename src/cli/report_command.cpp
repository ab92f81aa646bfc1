// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/report_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "analysis/analysis.h"
#include "cli/exit_code.h"
#include "cli/print_error.h"
#include "report/reports.h"
#include "text/terminal.h"

namespace thrum::cli {
namespace {

struct Options {
  std::string recording, output;
  bool text = false, json = false, html = false, folded = false, pprof = false, perfetto = false;
  bool all = false, no_colour = false;
};

// A form for people to open has a file beside the recording; "-" is standard output.
std::string output_of(const Options& options) {
  if (!options.output.empty()) return options.output;
  const char* const ending = options.html       ? ".html"
                             : options.pprof    ? ".pb.gz"
                             : options.perfetto ? ".pftrace"
                                                : nullptr;
  return ending == nullptr ? "-" : report::sibling(options.recording, ending);
}

void write(const Options& options, const std::string& what) {
  const std::string output = output_of(options);
  if (output == "-") {
    fmt::print("{}", what);
    return;
  }
  report::write_file(output, what);
  fmt::print("{}\n", text::printable(output));
}

int report(const Options& options) {
  try {
    const analysis::Recording recording = analysis::read_recording(options.recording);
    const analysis::Analysis analysis = analysis::analyse(recording);
    if (options.json) {
      write(options, report::json(analysis));
    } else if (options.html) {
      write(options, report::html(analysis));
    } else if (options.folded) {
      write(options, report::folded(analysis));
    } else if (options.pprof) {
      write(options, report::pprof(analysis));
    } else if (options.perfetto) {
      write(options, report::perfetto(analysis));
    } else {
      const text::Terminal terminal = text::Terminal::of(STDOUT_FILENO, options.no_colour);
      std::string all;
      for (const std::string& line : report::text(analysis, terminal.width, options.all)) {
        all += terminal.render(line) + '\n';
      }
      write(options, all);
    }
    if (!recording.cut_off.empty()) {
      print_error(options.recording, fmt::format("read in part: {}", recording.cut_off));
      return kFailed;
    }
    return recording.alarms.empty() && analysis.inversions.empty() ? kClean : kFoundSomething;
  } catch (const analysis::NotARecording& error) {
    print_error(options.recording, error.what());
    return kUsage;
  } catch (const report::CannotWrite& error) {
    print_error(error.path(), error.what());
    return kFailed;
  } catch (const std::system_error& error) {
    print_error(options.recording, error.code().message());
    return kUsage;
  }
}

}  // namespace

void add_report_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command =
      app.add_subcommand("report", "Show what thrum watch recorded, in many forms");
  command->add_option("FILE", options->recording, "A recording: PROGRAM.thrum")
      ->type_name("")
      ->required();
  CLI::Option_group* const forms = command->add_option_group("Forms", "At most one of");
  forms->add_flag("--text", options->text, "For people; so without any");
  forms->add_flag("--html", options->html, "A page with the timeline: PROGRAM.html");
  forms->add_flag("--json", options->json, "For programs");
  forms->add_flag("--folded", options->folded, "Time waited by stack, for flame graphs");
  forms->add_flag("--pprof", options->pprof, "Contention for go tool pprof: PROGRAM.pb.gz");
  forms->add_flag("--perfetto", options->perfetto, "For ui.perfetto.dev: PROGRAM.pftrace");
  forms->require_option(0, 1);
  command->add_option("-o,--output", options->output, "Where it goes; - is standard output")
      ->option_text("FILE");
  command->add_flag("--all", options->all, "With --text: everything, not one screen");
  command->add_flag("--no-color", options->no_colour, "No colour; so does NO_COLOR=1");
  command->get_option("--help")->description("Print this help");
  command->get_formatter()->column_width(22);
  command->footer(
      "Exit codes, of each form: 0 clean, 1 a deadlock or an inverted lock order was\n"
      "found, 2 no recording, 3 read in part only, or not written.");
  command->callback([options, &exit_code] { exit_code = report(*options); });
}

}  // namespace thrum::cli
