// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/schedule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <charconv>
#include <cstring>
#include <string_view>

namespace thrum::explore {
namespace {

std::string file_name(const char* path) {
  const std::string_view text = path;
  return std::string(text.substr(text.rfind('/') + 1));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

template <class T>
bool number(std::string_view text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

// Splits "T.S-U" into its three numbers.
template <class A, class B, class C>
bool triple(std::string_view text, A& a, B& b, C& c) {
  const std::size_t dot = text.find('.');
  const std::size_t dash = text.find('-');
  if (dot == std::string_view::npos || dash == std::string_view::npos || dash < dot) return false;
  return number(text.substr(0, dot), a) && number(text.substr(dot + 1, dash - dot - 1), b) &&
         number(text.substr(dash + 1), c);
}

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("._+-*?", c) != nullptr;
}

std::string encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += is_plain(c) ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

bool decode(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '%') {
      if (i + 2 >= text.size() || !number(text.substr(i + 1, 2), c, 16)) return false;
      i += 2;
    } else if (!is_plain(text[i])) {
      return false;
    }
    out += static_cast<char>(c);
  }
  return can_be_suppressed(out);
}

}  // namespace

bool can_be_suppressed(std::string_view module) {
  return !module.empty() && module.find('\n') == std::string_view::npos &&
         module.find('/') == std::string_view::npos && module.find('\0') == std::string_view::npos;
}

bool suppress(check::Job& job, const std::vector<std::string>& modules) {
  std::string text;
  for (const std::string& module : modules) text += module + "\n";
  if (modules.size() > check::kPatterns || text.size() >= sizeof job.suppressed) return false;
  std::memcpy(job.suppressed, text.c_str(), text.size() + 1);
  return true;
}

Schedule happened(const check::Shared& shared) {
  Schedule schedule;
  const check::Schedule& from = shared.happened;
  schedule.switches.assign(from.moves, from.moves + std::min(from.switches, check::kSwitches));
  schedule.choices.assign(from.choice, from.choice + std::min(from.choices, check::kChoices));
  for (std::uint32_t i = 0; i < from.points; ++i) {
    for (std::uint32_t m = 0; m < shared.modules; ++m) {
      const check::ModuleFacts& module = shared.module[m];
      if (from.point[i] < module.begin || from.point[i] >= module.end) continue;
      schedule.points.push_back(
          {m == 0 ? std::string() : file_name(module.path), from.point[i] - module.base});
    }
  }
  return schedule;
}

bool want(check::Shared& shared, const Schedule& schedule) {
  check::Schedule& to = shared.wanted;
  if (schedule.switches.size() > check::kSwitches || schedule.choices.size() > check::kChoices ||
      schedule.points.size() > check::kPoints) {
    return false;
  }
  to.switches = to.choices = to.points = 0;
  for (const check::Switch& each : schedule.switches) to.moves[to.switches++] = each;
  for (const check::Choice& each : schedule.choices) to.choice[to.choices++] = each;
  for (const Point& point : schedule.points) {
    const std::uint32_t before = to.points;
    for (std::uint32_t m = 0; m < shared.modules && to.points == before; ++m) {
      const check::ModuleFacts& module = shared.module[m];
      if (m == 0 ? point.module.empty() : point.module == file_name(module.path)) {
        to.point[to.points++] = module.base + point.address;
      }
    }
    if (to.points == before) return false;
  }
  return true;
}

std::string to_string(const Replay& replay) {
  std::vector<std::string> switches;
  std::vector<std::string> choices;
  std::vector<std::string> points;
  for (const check::Switch& each : replay.schedule.switches) {
    switches.push_back(fmt::format("{}.{}-{}.{:02x}", each.thread, each.step, each.to, each.check));
  }
  for (const check::Choice& each : replay.schedule.choices) {
    choices.push_back(fmt::format("{}.{}-{}", each.thread, each.index, each.value));
  }
  for (const Point& point : replay.schedule.points) {
    points.push_back(fmt::format("{}+{:x}", point.module, point.address));
  }
  std::string flags;
  if (replay.timeouts == check::Timeouts::any) flags += 't';
  if (!replay.races) flags += 'r';
  if (!replay.leaks) flags += 'l';
  if (replay.exploration != 0) flags += fmt::format("e{}", replay.exploration);
  if (replay.max_steps != Replay().max_steps) flags += fmt::format("s{}", replay.max_steps);
  if (!replay.suppressed.empty()) {
    std::vector<std::string> modules;
    for (const std::string& module : replay.suppressed) modules.push_back(encoded(module));
    flags += fmt::format("m{}", fmt::join(modules, ","));
  }
  return fmt::format(
      "check1:{}:{:016x}:{}:{}:{}:{}", replay.build_id.empty() ? "-" : replay.build_id, replay.hash,
      fmt::join(switches, ","), fmt::join(choices, ","), fmt::join(points, ","), flags);
}

std::optional<Replay> parse_replay(const std::string& text) {
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != 7 || parts[0] != "check1") return std::nullopt;
  Replay replay;
  if (parts[1] != "-") replay.build_id = parts[1];
  if (!number(parts[2], replay.hash, 16)) return std::nullopt;
  for (const std::string_view each : split(parts[3], ',')) {
    check::Switch found{};
    const std::size_t check = each.rfind('.');
    if (check == std::string_view::npos ||
        !triple(each.substr(0, check), found.thread, found.step, found.to) ||
        !number(each.substr(check + 1), found.check, 16)) {
      return std::nullopt;
    }
    replay.schedule.switches.push_back(found);
  }
  for (const std::string_view each : split(parts[4], ',')) {
    check::Choice found{};
    if (!triple(each, found.thread, found.index, found.value)) return std::nullopt;
    replay.schedule.choices.push_back(found);
  }
  for (const std::string_view each : split(parts[5], ',')) {
    const std::size_t plus = each.rfind('+');
    Point point;
    if (plus == std::string_view::npos || !number(each.substr(plus + 1), point.address, 16)) {
      return std::nullopt;
    }
    point.module = each.substr(0, plus);
    replay.schedule.points.push_back(point);
  }
  for (std::string_view flags = parts[6]; !flags.empty();) {
    const char flag = flags.front();
    flags.remove_prefix(1);
    if (flag == 't') {
      replay.timeouts = check::Timeouts::any;
    } else if (flag == 'r') {
      replay.races = false;
    } else if (flag == 'l') {
      replay.leaks = false;
    } else if (flag == 'e' || flag == 's') {
      const std::size_t end = std::min(flags.find_first_not_of("0123456789"), flags.size());
      if (!number(flags.substr(0, end), flag == 'e' ? replay.exploration : replay.max_steps)) {
        return std::nullopt;
      }
      if (replay.max_steps == 0) return std::nullopt;
      flags.remove_prefix(end);
    } else if (flag == 'm') {
      for (const std::string_view each : split(flags, ',')) {
        if (!decode(each, replay.suppressed.emplace_back())) return std::nullopt;
      }
      check::Job job{};
      if (replay.suppressed.empty() || !suppress(job, replay.suppressed)) return std::nullopt;
      break;
    } else {
      return std::nullopt;
    }
  }
  return replay;
}

}  // namespace thrum::explore
