// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/watch_command.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "analysis/dump.h"
#include "analysis/procfs.h"
#include "analysis/session.h"
#include "cli/dump_text.h"
#include "cli/exit_code.h"
#include "cli/live_screen.h"
#include "cli/print_error.h"
#include "report/live.h"
#include "report/reports.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::cli {
namespace {

struct Options {
  analysis::WatchOptions watch;
  bool quiet = false;
  bool no_colour = false;
  bool no_follow = false;
  bool no_page = false;
  bool live = false;
  bool once = false, json = false, stop = false;
  bool as_root = false;
  std::string level = "best";
};

// Standard output is the program's: what is said here goes to standard error.
void print(const text::Terminal& terminal, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print(stderr, "{}\n", terminal.render(line));
}

std::string recording_name(const std::string& command) {
  return command.substr(command.rfind('/') + 1) + ".thrum";
}

// The program's own; a deadlock that it got out of is something found all the same.
int exit_code_of(int wait_status, bool deadlock) {
  const int code =
      WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
  return code == 0 && deadlock ? kFoundSomething : code;
}

// The view of --live: the screen, what it shows, and when it is drawn next.
class View {
 public:
  View(const Options& options, const std::string& output)
      : screen_(output, options.no_colour),
        attached_(options.watch.pid != 0),
        head_{
            text::ink(text::kBold, "thrum watch --live") + "  " +
                text::printable(command_of(options)),
            text::ink(text::kDim,
                      attached_ ? "  q leaves the view, Ctrl-C ends the watching; the process "
                                  "goes on"
                                : "  q leaves the view, not the program; what it prints goes to " +
                                      text::printable(output))} {}

  void look(const analysis::Look& look) {
    if (!screen_.open()) return;
    live_.look(look);
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    constexpr std::chrono::milliseconds kTenth(100);
    if (next_ == std::chrono::steady_clock::time_point{}) next_ = now;
    // A process with many threads is looked at more seldom.
    const auto tenths = 1 + (now - next_) / kTenth;
    next_ += tenths * kTenth;
    live_.tick(static_cast<std::size_t>(tenths));
    if (screen_.wants_to_leave()) {
      screen_.close();
      fmt::print(stderr, "{}\n",
                 attached_ ? "It is still watched; Ctrl-C ends that, not the process."
                           : "The program goes on; Ctrl-C ends it.");
      return;
    }
    std::vector<std::string> head = head_;
    head[0] += "  " + text::human_ns(static_cast<double>(look.ns));
    screen_.show(live_.lines(head, screen_.columns(), screen_.rows()));
  }
  void alarm(const analysis::Json& alarm) { live_.alarm(alarm); }
  bool open() const { return screen_.open(); }

 private:
  static std::string command_of(const Options& options) {
    const auto pid = static_cast<pid_t>(options.watch.pid);
    std::string line;
    for (const std::string& word : pid != 0 ? analysis::command_of(pid) : options.watch.command)
      line += (line.empty() ? "" : " ") + word;
    return line;
  }

  LiveScreen screen_;
  bool attached_;
  report::Live live_;
  std::vector<std::string> head_;
  std::chrono::steady_clock::time_point next_{};
};

// A thread dump is the answer itself: to standard output.
int dump(const Options& options) {
  try {
    analysis::Privileges privileges(options.as_root);
    const analysis::ThreadDump dump =
        analysis::dump_threads(options.watch.pid, options.stop, privileges);
    if (options.json) {
      fmt::print("{}\n", analysis::json_of(dump).dump(2, ' ', false,
                                                      analysis::Json::error_handler_t::replace));
    } else {
      const text::Terminal terminal = text::Terminal::of(STDOUT_FILENO, options.no_colour);
      for (const std::string& line : dump_text(dump)) fmt::print("{}\n", terminal.render(line));
    }
    return dump.alarms.empty() ? kClean : kFoundSomething;
  } catch (const analysis::CannotWatch& error) {
    print_error(fmt::format("process {}", options.watch.pid), error.what());
    return kUsage;
  }
}

int watch(Options& options) {
  const bool attached = options.watch.pid != 0;
  if (options.once || options.stop || options.json) {
    if (!attached || (!options.once && options.json)) {
      print_error(options.json && attached ? "--json" : "--once", "needs --pid PID --once");
      return kUsage;
    }
    if (!options.once) {
      print_error("--stop", "needs --once: a process is not stopped again and again");
      return kUsage;
    }
    if (options.watch.command.empty()) return dump(options);
  }
  if (attached != options.watch.command.empty()) {
    print_error(attached ? "--pid" : "watch",
                attached ? "a process or a command, not both" : "what? see thrum watch --help");
    return kUsage;
  }
  const text::Terminal terminal = text::Terminal::of(STDERR_FILENO, options.no_colour);
  const std::string command = attached ? analysis::comm_of(static_cast<pid_t>(options.watch.pid),
                                                           static_cast<pid_t>(options.watch.pid))
                                       : options.watch.command.front();
  const std::string subject = attached ? fmt::format("process {}", options.watch.pid) : command;
  options.watch.follow = !options.no_follow;
  options.watch.level = options.level == "schedstat"  ? analysis::Level::schedstat
                        : options.level == "switches" ? analysis::Level::switches
                        : options.level == "bpf"      ? analysis::Level::bpf
                                                      : analysis::Level::best;
  if (options.watch.output.empty()) {
    options.watch.output = recording_name(command.empty() ? subject : command);
  }
  std::optional<View> view;
  bool deadlock = false;
  options.watch.on_alarm = [&](const analysis::Json& alarm) {
    deadlock = true;
    if (view.has_value()) view->alarm(alarm);
    if (view.has_value() && view->open()) return;
    fmt::print(stderr, "\n");
    print(terminal, report::alarm(alarm));
    if (!options.watch.kill_on_deadlock && !attached) {
      fmt::print(stderr, "  It will not end by itself; Ctrl-C ends it.\n");
    }
  };
  try {
    // From here on as the user, also for what is written.
    analysis::Privileges privileges(options.as_root);
    if (privileges.user() && !attached && !options.quiet) {
      fmt::print(stderr, "It runs as {}, who called sudo (--as-root: as root).\n",
                 text::printable(*privileges.user()));
    }
    // What a process prints that runs already goes where it went.
    const std::string output = attached ? "" : report::sibling(options.watch.output, ".out");
    if (options.live) {
      if (const std::string problem = LiveScreen::problem(); !problem.empty()) {
        print_error("--live", problem);
        return kUsage;
      }
      view.emplace(options, output);
      options.watch.on_look = [&](const analysis::Look& look) { view->look(look); };
    }
    const analysis::WatchResult result = [&] {
      // Whatever happens, the terminal is given back before anything is said.
      const std::shared_ptr<void> give_back(nullptr, [&](void*) { view.reset(); });
      return analysis::watch(options.watch, privileges);
    }();
    if (!options.quiet) {
      const analysis::Recording recording = analysis::read_recording(options.watch.output);
      const analysis::Analysis analysis = analysis::analyse(recording);
      fmt::print(stderr, "\n");
      print(terminal, report::text(analysis, terminal.width, false));
      fmt::print(stderr, "\n  recording  {}\n", text::printable(options.watch.output));
      if (!output.empty() && options.live)
        fmt::print(stderr, "  its output {}\n", text::printable(output));
      if (!options.no_page) {
        const std::string page = report::sibling(options.watch.output, ".html");
        report::write_file(page, report::html(analysis));
        fmt::print(stderr, "  timeline   {}\n", text::printable(page));
      }
    }
    return options.watch.kill_on_deadlock && deadlock ? kFoundSomething
                                                      : exit_code_of(result.wait_status, deadlock);
  } catch (const analysis::CannotWatch& error) {
    print_error(subject, error.what());
    return kUsage;
  } catch (const report::CannotWrite& error) {
    print_error(error.path(), error.what());
    return kFailed;
  } catch (const std::system_error& error) {
    print_error(options.watch.output, error.code().message());
    return kFailed;
  }
}

}  // namespace

void add_watch_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* const watch_command =
      app.add_subcommand("watch", "See what the threads of any program do, and why it hangs");
  watch_command
      ->add_option("COMMAND", options->watch.command, "The program and its arguments, after --")
      ->type_name("");
  watch_command
      ->add_option("--pid", options->watch.pid,
                   "Look at a process that runs, without stopping it,\n"
                   "until it ends or Ctrl-C")
      ->option_text("PID")
      ->check(CLI::PositiveNumber);
  watch_command->add_flag("--once", options->once,
                          "With --pid: what each thread does now, with its\n"
                          "stack, and who waits for whom");
  watch_command->add_flag("--json", options->json, "With --once: for programs");
  watch_command->add_flag("--stop", options->stop,
                          "With --once: stop it for some milliseconds (ptrace),\n"
                          "for exact stacks");
  watch_command
      ->add_option("-o,--output", options->watch.output,
                   "Where the recording goes. Without it: PROGRAM.thrum")
      ->option_text("FILE");
  watch_command
      ->add_option("--level", options->level,
                   "How switches are seen: best (the first of the others\n"
                   "that this machine allows), bpf, switches, schedstat")
      ->option_text("LEVEL")
      ->check(CLI::IsMember({"best", "bpf", "switches", "schedstat"}));
  watch_command->add_flag("--live", options->live, "Show it while it runs; q leaves the view");
  watch_command->add_flag("--all", options->watch.record_all,
                          "Record each acquire, not only counts");
  watch_command->add_flag("--no-follow", options->no_follow, "Leave child processes alone");
  watch_command->add_flag("--as-root", options->as_root,
                          "Under sudo: run it as root, not as who called sudo");
  watch_command->add_flag("--kill-on-deadlock", options->watch.kill_on_deadlock,
                          "End a program that has locked itself up, exit 1");
  watch_command->add_flag("--no-page", options->no_page, "No timeline, PROGRAM.html");
  watch_command->add_flag("-q,--quiet", options->quiet, "No summary, no timeline; alarms only");
  watch_command->add_flag("--no-color", options->no_colour, "No colour; so does NO_COLOR=1");
  watch_command->get_option("--help")->description("Print this help");
  watch_command->get_formatter()->column_width(22);
  watch_command->footer(
      "Examples:\n"
      "  thrum watch -- ./server --port 80     run it, tell at its end, or on Ctrl-C\n"
      "  thrum watch --live -- ./server        look at it while it runs\n"
      "  thrum watch --kill-on-deadlock -- ./test\n"
      "  thrum watch --pid 1234 --once         a thread dump of any process\n"
      "  thrum watch --pid 1234 --live         look at it as it goes on\n"
      "  thrum report server.thrum             what was recorded, again\n"
      "\n"
      "The program runs as it does without: not recompiled, not stopped, not root.\n"
      "A deadlock is told while it happens. Exit codes: the program's own; 128 and the\n"
      "signal's number if one ended it; 1 if that is 0 and there was a deadlock; 2 it\n"
      "cannot be watched, 3 thrum itself failed.");
  watch_command->callback([options, &exit_code] { exit_code = watch(*options); });
}

}  // namespace thrum::cli
