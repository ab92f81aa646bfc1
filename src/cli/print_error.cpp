// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/print_error.h"

#include <fmt/format.h>

#include <cstdio>

#include "text/terminal.h"

namespace thrum::cli {

using namespace text;

void print_error(std::string_view what, std::string_view why) {
  fmt::print(stderr, "thrum: {}: {}\n", printable(what), why);
}

}  // namespace thrum::cli
