// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a tour has to tell, step by step: some lines of C++ and what happened when they ran. Told
// either as text or as JSON, from the same facts.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/terminal.h"

namespace thrum::cli {

using namespace text;

using Json = nlohmann::ordered_json;

/// What was measured, by name. The name's end tells the unit: _bytes, _ns, _per_second, _share;
/// what ends in id, ident or fd is a name rather than an amount.
using Facts = std::vector<std::pair<std::string, Json>>;

/// Draws facts: lines of at most `columns`, with ink marks.
using Drawing = std::function<std::vector<std::string>(std::size_t columns)>;

/// What happened when the code ran.
struct Happened {
  /// A sentence; `{name}` stands for the fact.
  std::string text{};
  Facts facts{};
  /// Whether it is what the founding README says.
  bool holds = true;
  /// Why it could not be seen on this machine, in this run; empty if it was.
  std::string unseen{};
  /// For those who look rather than read.
  Drawing drawing{};
};

enum class Verdict : std::uint8_t { ok, odd, unseen };

struct Heading {
  int number = 0;
  std::string_view name;
  std::string_view title;
  std::string_view about;
};

/// Runs the code and shows its text.
#define THRUM_RUN(report, ...) \
  (report).code(#__VA_ARGS__); \
  __VA_ARGS__

class Report {
 public:
  virtual ~Report() = default;
  Report() = default;
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  /// Tells where all of it happens.
  virtual void open(const Facts& machine) = 0;
  virtual void begin(const Heading& heading) = 0;
  /// Adds a line of code to the step that the next happened() ends.
  void code(std::string line) { code_.push_back(std::move(line)); }
  void happened(Happened happened);
  virtual void end() = 0;
  /// Tells how it ended. `interrupted` names the signal, or is empty.
  virtual void close(std::string_view interrupted) = 0;

  /// Shows a line that the next thing to tell takes away again; nothing takes away now. Only where
  /// somebody looks: see is_live().
  virtual void status(std::string_view line) = 0;
  virtual bool is_live() const = 0;
  virtual std::size_t columns() const = 0;

  /// What does not hold after a stop request was cut short, not odd.
  void set_stop(std::stop_token stop) { stop_ = std::move(stop); }

  /// Tells of one thing that went wrong: a line to standard error.
  void problem(std::string_view what, std::string_view why);

  /// Returns whether something happened that should not, or something was found.
  bool found_something() const { return found_something_; }
  void set_found_something() { found_something_ = true; }

 protected:
  virtual void step(const std::vector<std::string>& code, const Happened& happened,
                    Verdict verdict) = 0;

 private:
  std::vector<std::string> code_;
  bool found_something_ = false;
  std::stop_token stop_;
};

std::unique_ptr<Report> make_text_report(Terminal terminal);
std::unique_ptr<Report> make_json_report();

/// Returns a fact as people read it.
std::string human(std::string_view name, const Json& value);

/// Returns the text with the facts in the place of their names, each put through `show`.
std::string expand(std::string_view text, const Facts& facts,
                   const std::function<std::string(std::string)>& show);

}  // namespace thrum::cli
