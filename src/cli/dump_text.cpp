// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/dump_text.h"

#include <fmt/format.h>

#include "analysis/places.h"
#include "report/reports.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::cli {
namespace {

using analysis::ThreadDump;
using text::human_ns;
using text::ink;
using text::printable;

std::string waits(const ThreadDump::Thread& thread) {
  using trace::Kind;
  std::string line;
  if (thread.waiting.kind == Kind::none) return line;
  if (thread.waiting.kind == Kind::join && thread.holder != 0) {
    line = "on the end of ";
  } else {
    line = fmt::format("{} {}", thread.waiting.kind == Kind::call ? "in" : "on",
                       ink(text::kCyan, report::readable(thread.object)));
    if (thread.holder != 0) line += ", held by ";
  }
  if (thread.holder != 0) {
    line += thread.holder_name.empty()
                ? fmt::format("thread {} of another process", thread.holder)
                : fmt::format("{} {}", printable(thread.holder_name), thread.holder);
  } else if (thread.waiting.readers != 0) {
    line += fmt::format(", held by {} reader{}", thread.waiting.readers,
                        thread.waiting.readers == 1 ? "" : "s");
  }
  if (thread.waiting.timed && thread.waiting.kind != Kind::sleep) line += ", with a timeout";
  return line;
}

}  // namespace

std::vector<std::string> dump_text(const ThreadDump& dump) {
  std::string command;
  for (const std::string& word : dump.command) command += " " + printable(word);
  std::vector<std::string> lines{
      fmt::format("{}  process {}:{}", ink(text::kBold, "thrum watch"), dump.pid, command),
      ink(text::kDim, fmt::format("  level: {}; cannot tell {}", dump.level, dump.cannot_tell))};
  if (!dump.advice.empty()) {
    lines.push_back(ink(text::kDim, fmt::format("  not more, because {}", dump.advice)));
  }
  for (const analysis::Json& alarm : dump.alarms) {
    lines.emplace_back();
    for (std::string& line : report::alarm(alarm)) lines.push_back(std::move(line));
  }
  for (const ThreadDump::Thread& thread : dump.threads) {
    lines.emplace_back();
    std::string head = fmt::format(
        "{}  {}", ink(text::kBold, fmt::format("{} {}", printable(thread.name), thread.tid)),
        thread.state);
    if (const std::string what = waits(thread); !what.empty()) head += " " + what;
    if (thread.for_ns) {
      head += fmt::format(", for {}", human_ns(static_cast<double>(*thread.for_ns)));
    }
    lines.push_back(std::move(head));
    for (const analysis::Frame& frame : thread.frames) {
      lines.push_back(fmt::format("    {}", report::readable(analysis::text_of(frame))));
    }
    if (!thread.no_stack.empty()) {
      lines.push_back(
          ink(text::kDim, fmt::format("    no {}stack: {}", thread.frames.empty() ? "" : "whole ",
                                      thread.no_stack)));
    }
  }
  return lines;
}

}  // namespace thrum::cli
