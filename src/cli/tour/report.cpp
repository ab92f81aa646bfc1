// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "cli/print_error.h"
#include "text/units.h"

namespace thrum::cli {

void Report::happened(Happened happened) {
  if (!happened.holds && stop_.stop_requested()) happened.unseen = "stopped before it was seen";
  const Verdict verdict = !happened.unseen.empty() ? Verdict::unseen
                          : happened.holds         ? Verdict::ok
                                                   : Verdict::odd;
  if (verdict == Verdict::odd) set_found_something();
  const std::vector<std::string> code = std::exchange(code_, {});
  step(code, happened, verdict);
}

void Report::problem(std::string_view what, std::string_view why) {
  status("");
  std::fflush(stdout);
  set_found_something();
  print_error(what, why);
}

std::string human(std::string_view name, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "nothing";
  if (!value.is_number()) return value.dump();
  const auto number = value.get<double>();
  if (name.ends_with("_bytes")) return human_bytes(number);
  if (name.ends_with("_ns")) return human_ns(number);
  if (name.ends_with("_bytes_per_second")) return human_bytes(number) + "/s";
  if (name.ends_with("_share")) return fmt::format("{:.0f} %", number * 100);
  if (name.ends_with("id") || name.ends_with("ident") || name.ends_with("fd")) return value.dump();
  if (value.is_number_float() && number < 100) return fmt::format("{:.2f}", number);
  return number < 0 ? value.dump() : grouped(static_cast<std::uint64_t>(std::llround(number)));
}

std::string expand(std::string_view text, const Facts& facts,
                   const std::function<std::string(std::string)>& show) {
  std::string out;
  for (;;) {
    const std::size_t open = std::min(text.find('{'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) return out;
    const std::size_t close = text.find('}');
    const std::string_view name = text.substr(1, close - 1);
    const auto fact = std::ranges::find(facts, name, &Facts::value_type::first);
    if (fact == facts.end()) throw std::logic_error(fmt::format("no fact is called {}", name));
    out += show(human(name, fact->second));
    text.remove_prefix(close + 1);
  }
}

}  // namespace thrum::cli
