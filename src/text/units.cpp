// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "text/units.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace thrum::text {
namespace {

// Three digits at most before the unit, and no more after the point than they leave room for.
std::string scaled(double value, std::string_view unit) {
  const double tenths = std::round(value * 10) / 10;
  const bool whole = tenths >= 100 || tenths == std::floor(tenths);
  return fmt::format("{:.{}f} {}", value, whole ? 0 : 1, unit);
}

}  // namespace

std::string grouped(std::uint64_t n) {
  std::string digits = fmt::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string human_bytes(double bytes) {
  static constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; std::round(bytes) >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return scaled(bytes, kUnits[unit]);
}

std::string human_ns(double ns) {
  static constexpr std::array<std::string_view, 4> kUnits{"ns", "µs", "ms", "s"};
  std::size_t unit = 0;
  for (; std::round(ns) >= 1000 && unit + 1 < kUnits.size(); ++unit) ns /= 1000;
  return scaled(ns, kUnits[unit]);
}

}  // namespace thrum::text
