// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The forms that a recording takes. Each is a string; names that come from the program are escaped
// as the form needs it.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/analysis.h"

namespace thrum::report {

using analysis::Analysis;
using analysis::Json;

/// Returns lines with ink marks (text/terminal.h), of at most `columns`: one screen, or all of it.
std::vector<std::string> text(const Analysis& analysis, std::size_t columns, bool all);
/// Returns the lines that announce a deadlock.
std::vector<std::string> alarm(const Json& alarm);

/// Returns the lines that tell of a lock order that can lock up.
std::vector<std::string> inversion(const Analysis& analysis, const analysis::Inversion& inversion);

/// Returns one page for a browser, with all its data.
std::string html(const Analysis& analysis);
std::string json(const Analysis& analysis);
/// Returns stacks, outermost first, with the microseconds that were waited on them.
std::string folded(const Analysis& analysis);
/// Returns a contention profile as pprof reads it: profile.proto, packed by gzip.
std::string pprof(const Analysis& analysis);
/// Returns a trace for ui.perfetto.dev: Perfetto's protobuf.
std::string perfetto(const Analysis& analysis);

class CannotWrite : public std::runtime_error {
 public:
  CannotWrite(std::string path, const std::string& why)
      : std::runtime_error(why), path_(std::move(path)) {}
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Writes a file, 0600, that takes its name when it is complete.
/// Throws  CannotWrite
void write_file(const std::string& path, const std::string& what);
/// Returns the recording's name with another ending.
std::string sibling(const std::string& recording, const std::string& ending);

/// Returns what a thread waits for, printable: `mutex accounts`.
std::string object(const Analysis& analysis, const analysis::Thread& thread,
                   const analysis::Wait& wait);
/// Returns the name of a place or an object for a line of text, printable: of a long one the
/// arguments of templates are left out, and what is too long then has a gap in its middle. The page
/// and JSON have all of it.
std::string readable(std::string_view name);
/// Returns how the program ended, in words.
std::string ending(const analysis::Recording& recording);
/// Returns the command, printable.
std::string command(const analysis::Recording& recording);
/// Returns which level recorded, what it cannot tell, and what was lost: a line each.
std::vector<std::string> level(const Analysis& analysis);

}  // namespace thrum::report
