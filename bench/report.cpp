// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "report.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

using nlohmann::json;
namespace text = thrum::text;

// Three digits, or all before the point up to five; then thousands or millions.
std::string figure(double value) {
  if (value >= 999'500) return figure(value / 1e6) + 'M';
  if (value >= 99'950) return figure(value / 1e3) + 'k';
  const int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string middle(const Spread& spread) {
  return fmt::format("{} – {}", figure(spread.p10), figure(spread.p90));
}

std::string sleeps(double per_operation) {
  if (per_operation == 0) return "0";
  return per_operation < 0.01 ? "<0.01" : figure(per_operation);
}

std::string row(std::string_view name, std::string_view wall, std::string_view wall_middle,
                std::string_view ratio, std::string_view ratio_middle, std::string_view cpu,
                std::string_view slept) {
  return fmt::format("{} {:>8} {:>17} {:>6} {:>13} {:>8} {:>6}\n", text::fit(name, 36), wall,
                     wall_middle, ratio, ratio_middle, cpu, slept);
}

json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"p10", spread.p10}, {"p90", spread.p90}};
}

json to_json(const Result& result, std::size_t i) {
  const Measured& measured = result.contenders[i];
  json ratios = json::object();
  for (const char* const kind : {"floor", "std"}) {
    const std::size_t over = result.first(kind);
    if (over < result.contenders.size()) ratios[kind] = to_json(result.ratio(i, over));
  }
  json contender = {{"name", result.what->contenders[i].name},
                    {"bytes", result.what->contenders[i].bytes},
                    {"operations_per_round", measured.operations * result.what->batch},
                    {"ratio_to", ratios}};
  const auto add = [&](const char* name, Figure member) {
    contender[name] = to_json(measured.spread(member));
    for (const Cost& round : measured.rounds) {
      contender[name]["rounds"].push_back(round.*member);
    }
  };
  add("wall_ns", &Cost::wall_ns);
  add("cpu_ns", &Cost::cpu_ns);
  add("voluntary_switches", &Cost::sleeps);
  for (const auto& [name, value] : measured.rounds.front().also) {
    contender["also"][name] = to_json(measured.spread(name));
  }
  return contender;
}

std::string now() {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  (void)gmtime_r(&seconds, &utc);
  return fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

std::string table(const Result& result, bool with_heads) {
  std::string text;
  if (with_heads) {
    const std::string heads =
        row("per operation", "wall ns", "p10 – p90", "x std", "p10 – p90", "cpu ns", "sleeps");
    text = '\n' + text::ink(text::kDim, heads);
  }
  text += text::ink(text::kBold, result.what->name) + "  " +
          text::ink(text::kDim, result.what->operation) + '\n';
  for (std::size_t i = 0; i < result.contenders.size(); ++i) {
    const Contender& contender = result.what->contenders[i];
    const Measured& measured = result.contenders[i];
    const Spread wall = measured.spread(&Cost::wall_ns);
    const Spread ratio = result.ratio(i, result.baseline);
    const bool is_baseline = i == result.baseline;
    const std::string line =
        row("  " + contender.name, figure(wall.median), middle(wall),
            is_baseline ? "1" : figure(ratio.median), is_baseline ? "" : middle(ratio),
            figure(measured.spread(&Cost::cpu_ns).median),
            sleeps(measured.spread(&Cost::sleeps).median));
    if (contender.is("floor")) {
      text += text::ink(text::kDim, line);
    } else if (contender.is("thrum") && ratio.p90 < 1) {
      text += text::ink(text::kGreen, line);
    } else if (contender.is("thrum") && ratio.p10 > 1) {
      text += text::ink(text::kRed, line);
    } else {
      text += line;
    }
    for (const auto& [name, value] : measured.rounds.front().also) {
      const Spread spread = measured.spread(name);
      text += thrum::text::ink(thrum::text::kDim,
                               fmt::format("    {} {:>8} {:>17}\n", thrum::text::fit(name, 34),
                                           figure(spread.median), middle(spread)));
    }
  }
  return text;
}

std::string promises(const Result& result, bool& kept) {
  std::string text;
  for (const Promise& promise : result.what->promises) {
    const double is = result.figure(promise);
    const bool holds = is <= promise.at_most;
    kept = kept && holds;
    const std::string unit = promise.against.empty() ? "cpu ns" : "x " + promise.against;
    text += fmt::format("  {}  {:.2f} {}, promised at most {:.2f}\n",
                        holds ? text::ink(text::kGreen, "kept") : text::ink(text::kRed, "BROKEN"),
                        is, unit, promise.at_most);
  }
  return text;
}

std::string document(const Machine& machine, std::size_t rounds, double seconds,
                     std::span<const Result> results) {
  const json head = {{"schema", "thrum-bench/2"},
                     {"date", now()},
                     {"machine",
                      {{"line", machine.line()},
                       {"cpu", machine.cpu},
                       {"cores", machine.cores},
                       {"kernel", machine.kernel},
                       {"compiler", machine.compiler},
                       {"libraries", machine.libraries},
                       {"build", machine.build},
                       {"flags", machine.flags},
                       {"waist", machine.waist},
                       {"peers", machine.peers},
                       {"missing_peers", machine.missing},
                       {"commit", machine.commit},
                       {"load", machine.load}}},
                     {"rounds", rounds},
                     {"seconds", seconds}};
  std::string text = head.dump(1);
  text.resize(text.rfind('\n'));  // the cases follow
  text += ",\n \"cases\": [";
  for (const Result& result : results) {
    const json name = result.what->name;
    const json operation = result.what->operation;
    text += fmt::format("{}\n  {{\"name\": {}, \"operation\": {}, \"contenders\": [",
                        &result == results.data() ? "" : ",", name.dump(), operation.dump());
    for (std::size_t i = 0; i < result.contenders.size(); ++i) {
      text += fmt::format("{}\n   {}", i == 0 ? "" : ",", to_json(result, i).dump());
    }
    text += "]}";
  }
  return text + "]}\n";
}

}  // namespace bench
