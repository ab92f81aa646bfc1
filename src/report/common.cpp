// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
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

// Without what is between < and >; as it is, if they do not pair up.
std::string without_arguments(std::string_view name) {
  constexpr std::string_view kOperator = "operator";
  static constexpr std::array<std::string_view, 11> kBrackets{
      "<<=", ">>=", "<=>", "->*", "->", "<<", ">>", "<=", ">=", "<", ">"};
  std::string shorter;
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i).starts_with(kOperator)) {  // whose brackets are part of its name
      std::size_t n = kOperator.size();
      const std::string_view rest = name.substr(i + n);
      const auto* const its = std::ranges::find_if(
          kBrackets, [rest](std::string_view bracket) { return rest.starts_with(bracket); });
      if (its != kBrackets.end()) n += its->size();
      if (depth == 0) shorter += name.substr(i, n);
      i += n - 1;
      continue;
    }
    if (name[i] == '<' && depth++ == 0) shorter += "<…>";
    if (depth == 0) shorter += name[i];
    if (name[i] == '>' && --depth < 0) return std::string(name);
  }
  return depth == 0 ? shorter : std::string(name);
}

// The end of what is a whole number of characters in UTF-8, at most so far.
std::size_t whole(std::string_view text, std::size_t end) {
  constexpr unsigned kContinues = 0x80, kMask = 0xc0;
  while (end > 0 && end < text.size() &&
         (static_cast<unsigned char>(text[end]) & kMask) == kContinues) {
    --end;
  }
  return end;
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

std::string readable(std::string_view name) {
  constexpr std::size_t kLong = 80, kTooLong = 160, kTail = 60;
  std::string text(name);
  if (text.size() > kLong) text = without_arguments(text);
  if (text.size() > kTooLong) {
    const std::size_t head = whole(text, kTooLong - kTail), tail = whole(text, text.size() - kTail);
    text = text.substr(0, head) + " … " + text.substr(tail);
  }
  return printable(text);
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
