// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness.h"
#include "machine.h"
#include "text/terminal.h"

namespace bench {

/// Returns a case as lines of at most 100 columns; those of its primitive's first case begin with
/// the heads of the columns.
std::string table(const Result& result, bool with_heads);

/// Returns the promises of a case as lines, and says in `kept` if one is not kept.
std::string promises(const Result& result, bool& kept);

/// Returns all results as a document of schema thrum-bench/1; see results/README.md.
nlohmann::json document(const Machine& machine, std::size_t rounds, double seconds,
                        const std::vector<Result>& results);

}  // namespace bench
