// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "analysis/places.h"
#include "report/reports.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::report {

using analysis::Recording;
using text::grouped;
using text::printable;

namespace {

std::string string_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

std::string object(const Analysis& analysis, const analysis::Thread& thread,
                   const analysis::Wait& wait) {
  std::string name =
      printable(analysis::object_text(analysis, thread, wait.object, wait.kind, wait.given));
  if (wait.kind == trace::Kind::call) return name;
  const std::string_view kind = analysis::name_of(wait.kind);
  return name.starts_with(kind) ? name : fmt::format("{} {}", kind, name);
}

std::string ending(const Recording& recording) {
  if (const auto signal = number_of(recording.end, "signal"); signal != 0) {
    const char* const name = sigabbrev_np(static_cast<int>(signal));
    return name != nullptr ? fmt::format("killed by SIG{}", name)
                           : fmt::format("killed by signal {}", signal);
  }
  if (recording.end.empty()) return "recording cut off";
  // Of a process that was only looked at nobody knows how it ended.
  if (std::string words = string_of(recording.end, "ending"); !words.empty()) return words;
  return fmt::format("exit status {}", number_of(recording.end, "exited"));
}

std::string command(const Recording& recording) {
  std::string line;
  const auto words = recording.meta.find("command");
  if (words == recording.meta.end() || !words->is_array()) return "?";
  for (const Json& word : *words) {
    if (!word.is_string()) continue;
    if (!line.empty()) line += ' ';
    line += printable(word.get<std::string>());
  }
  return line;
}

std::vector<std::string> level(const Analysis& analysis) {
  const Recording& recording = *analysis.recording;
  std::vector<std::string> lines{fmt::format("{}; cannot tell {}",
                                             string_of(recording.meta, "level"),
                                             string_of(recording.meta, "cannot_tell"))};
  if (const std::string advice = string_of(recording.meta, "advice"); !advice.empty()) {
    lines.push_back(fmt::format("not more, because {}", advice));
  }
  if (const std::uint64_t rested = number_of(recording.end, "rested_ns"); rested != 0) {
    lines.push_back(
        fmt::format("the recorder rested for {:.1f} % of the time, to cost less than 2 % of the "
                    "program's: short "
                    "waits and hold times in it have no event, times of states are whole",
                    100.0 * static_cast<double>(std::min(rested, analysis.end)) /
                        static_cast<double>(std::max<std::uint64_t>(1, analysis.end))));
  }
  if (!recording.cut_off.empty()) {
    lines.push_back(fmt::format("the recording is not whole: {}", recording.cut_off));
  }
  const struct {
    const char *key, *what;
  } losses[] = {{"events_lost", "events found no room in the ring of their thread"},
                {"switches_lost", "context switches found no room"},
                {"threads_lost", "threads were too many, and not observed"},
                {"processes_lost", "processes were too many, and not observed"}};
  for (const auto& [key, what] : losses) {
    const std::uint64_t n = number_of(recording.end, key);
    if (n != 0) lines.push_back(fmt::format("lost: {} {}", grouped(n), what));
  }
  if (recording.threads.empty()) {
    lines.emplace_back("no thread was observed: setuid, or a program of another kind of libc");
  }
  return lines;
}

}  // namespace thrum::report
