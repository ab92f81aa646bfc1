// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/progress_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/terminal.h"
#include "text/units.h"

namespace thrum::cli {

using namespace text;

std::string progress_line(const Progress& progress, std::size_t columns) {
  const auto bytes = static_cast<double>(progress.bytes);
  const double seconds = std::max(static_cast<double>(progress.elapsed_ns) / 1e9, 1e-3);
  const double per_second = bytes / seconds;
  std::string says =
      progress.walking
          ? fmt::format("{} of at least {} files", grouped(progress.files),
                        grouped(progress.files_found))
          : fmt::format("{}/{} files", grouped(progress.files), grouped(progress.files_found));
  says += fmt::format("  {}  {}/s", human_bytes(bytes), human_bytes(per_second));

  std::string drawn;
  if (!progress.walking && progress.bytes_found > 0) {
    const auto all = static_cast<double>(progress.bytes_found);
    const double share = std::min(bytes / all, 1.0);
    if (per_second > 0 && share < 1) {
      says += fmt::format("  {:.0f} s left", (all - bytes) / per_second + 0.5);
    }
    const std::size_t taken = columns_of(says) + 10;
    if (columns > taken + 8) {
      const std::size_t width = std::min<std::size_t>(columns - taken, 40);
      std::string filled = bar(share, width);
      const std::size_t full = columns_of(filled);
      std::string rest;
      for (std::size_t i = full; i < width; ++i) rest += "░";
      drawn = ink(kGreen, filled) + ink(kDim, rest) + fmt::format(" {:>3.0f} %  ", share * 100);
    }
  }
  std::string line = "  " + drawn + says;
  return columns_of(line) <= columns ? line : fit(line, columns);
}

}  // namespace thrum::cli
