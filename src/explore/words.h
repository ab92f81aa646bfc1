// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What a report calls things.
#pragma once

#include <string_view>

#include "check/protocol.h"

namespace thrum::explore {

/// Returns what is not under control, of one kind, up to the last words.
std::string_view sentence(check::Uncontrolled kind);
/// Returns the verdict in one word or two, as in `// Finds:` of the tests.
std::string_view name_of(check::StrategyId strategy);
/// Returns what a thread does in a step of this sort.
std::string_view verb(check::Op op);
/// Returns what a step of this sort is done with; empty if it is with nothing that has a name.
std::string_view noun(check::Op op);

}  // namespace thrum::explore
