// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/terminal.h"

namespace thrum::explore {
namespace {

constexpr std::size_t kNarrowest = 24;  // a column; below, threads stand one below the other
constexpr std::size_t kLongRun = 10;    // steps of one thread in a row, before they are cut short
constexpr std::size_t kEdge = 3;        // of those, how many are shown at both ends
constexpr std::size_t kStackLines = 6;
constexpr std::size_t kProse = 90;  // columns of a sentence

void add_stack(std::vector<std::string>& lines, const std::vector<Place>& stack) {
  for (std::size_t i = 0; i < std::min(stack.size(), kStackLines); ++i) {
    lines.push_back(fmt::format("        {} at {}", stack[i].function, stack[i].text()));
  }
}

// Where and what, as short as it can be said: the file is named once if there is but one.
std::string cell(const Step& step, const std::string& only_file) {
  if (!step.has_place) return step.text();
  if (only_file.empty()) return fmt::format("{} {}", step.place.text(), step.text());
  return fmt::format(":{} {}", step.place.line, step.text());
}

}  // namespace

std::vector<std::string> headline(const Story& story) {
  const char colour = check::is_finding(story.outcome)         ? text::kRed
                      : story.outcome == check::Outcome::clean ? text::kGreen
                                                               : text::kYellow;
  std::vector<std::string> lines{text::ink(colour, text::ink(text::kBold, story.verdict)) +
                                 (story.summary.empty() ? "" : ": " + story.summary)};
  for (const Waiting& waiting : story.waiting) {
    lines.push_back(fmt::format("    {} {}", story.threads[waiting.thread], waiting.text()));
  }
  for (const Access& access : story.accesses) {
    lines.push_back(fmt::format("    {} {} at {}, in {}", story.threads[access.thread], access.what,
                                access.place.text(), access.place.function));
    add_stack(lines, access.stack);
  }
  if (!story.missing.empty()) {
    for (const std::string& line : text::wrap(story.missing, kProse))
      lines.push_back("    " + line);
  }
  add_stack(lines, story.stack);
  for (const std::string& line : story.errors) lines.push_back("    | " + line);
  return lines;
}

std::vector<std::string> schedule_table(const Story& story, std::size_t width) {
  std::vector<std::string> lines;
  const std::size_t threads = story.threads.size();
  const std::size_t column = (width - 2) / threads;
  const bool in_columns = column >= kNarrowest;
  if (!story.file.empty()) {
    lines.push_back(text::ink(text::kDim, fmt::format("  lines of {}", story.file)));
  }
  if (in_columns) {
    std::string header = "  ";
    for (const std::string& name : story.threads) header += text::fit(name, column);
    lines.push_back(text::ink(text::kBold, header));
  }
  const auto add = [&](unsigned thread, const std::string& what, bool preempts) {
    const std::string mark = text::ink(text::kYellow, preempts ? "> " : "  ");
    if (in_columns) {
      const bool fits = text::columns_of(what) <= column - 2;
      lines.push_back(std::string(thread * column, ' ') + mark +
                      (fits ? what : text::fit(what, column - 2)));
    } else {
      lines.push_back(mark + text::fit(story.threads[thread], 12) + what);
    }
  };
  const auto add_notes = [&](const Step& step) {
    for (const std::string& note : step.notes) add(step.thread, "\"" + note + "\"", false);
  };
  const auto& steps = story.steps;
  for (std::size_t i = 0; i < steps.size();) {
    std::size_t end = i;
    while (end < steps.size() && steps[end].thread == steps[i].thread) ++end;
    for (std::size_t k = i; k < end; ++k) {
      if (end - i > kLongRun && k == i + kEdge) {
        const std::size_t left_out = end - i - 2 * kEdge;
        add(steps[i].thread, fmt::format("... {} more steps", left_out), false);
        while (k < end - kEdge) add_notes(steps[k++]);
      }
      add(steps[k].thread, cell(steps[k], story.file), steps[k].preempts);
      add_notes(steps[k]);
    }
    i = end;
  }
  return lines;
}

unsigned preemptions(const Story& story) {
  return static_cast<unsigned>(std::ranges::count_if(story.steps, &Step::preempts));
}

}  // namespace thrum::explore
