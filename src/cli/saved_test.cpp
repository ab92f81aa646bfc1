// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/saved_test.h"

#include <fmt/format.h>

#include "cli/findings.h"

namespace thrum::cli {

std::string saved_test(const explore::Story& story, const explore::Circumstances& circumstances,
                       const std::vector<std::string>& command) {
  // All that comes from the program is printable and on one line: a comment stays one.
  const std::size_t end = circumstances.replay.find(" -- ");
  return fmt::format(
      R"(#!/bin/sh
# A regression test, made by `thrum check --save-test`: the schedule in which the program failed.
#
#   {verdict}{summary}
#
#   $0 [PROGRAM [ARGUMENT...]]    without PROGRAM: the one below
#
# Exit codes: 0 it passes, 1 it fails in this schedule, 2 or 3 it could not be run. THRUM names the
# command. Compile the program with `thrum c++`. In CMake, after thrum_checked(<target>):
#
#   add_test(NAME <name> COMMAND <this file> $<TARGET_FILE:<target>_checked>)
#
# A program that was changed may not follow the schedule to its end. To look for the bug in others:
# thrum check.
[ $# -gt 0 ] || set -- {command}
"${{THRUM:-thrum}}" {replay} -- "$@"
status=$?
case $status in
  0) echo "PASS: $1" ;;
  1) echo "FAIL: $1" ;;
  *) echo "NOT RUN: $1" >&2 ;;
esac
exit $status
)",
      fmt::arg("verdict", story.verdict),
      fmt::arg("summary", story.summary.empty() ? "" : ": " + story.summary),
      fmt::arg("command", command_line(command)),
      fmt::arg("replay", circumstances.replay.substr(6, end - 6)));
}

}  // namespace thrum::cli
