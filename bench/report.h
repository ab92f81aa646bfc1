// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "harness.h"
#include "machine.h"
#include "text/terminal.h"

namespace bench {

/// Returns a case as lines of at most 100 columns; those of its primitive's first case begin with
/// the heads of the columns.
std::string table(const Result& result, bool with_heads);

/// Returns the promises of a case as lines, and says in `kept` if one is not kept.
std::string promises(const Result& result, bool& kept);

/// Returns results as a document of schema thrum-bench/2, a line for each contender; see
/// results/README.md.
std::string document(const Machine& machine, std::size_t rounds, double seconds,
                     std::span<const Result> results);

}  // namespace bench
