// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Peers in other languages: programs beside this one, which do a whole round natively and print
// what it cost.
#pragma once

#include <string>

#include "harness.h"

namespace bench {

/// Adds a contender in `language` (rust, go), if its program is there. `shape` is what the program
/// is asked for, before the number of operations.
void add_foreign(Contenders& to, const std::string& language, std::string name, std::string shape,
                 Cpus cpus = Cpus::free);

/// Returns the languages whose programs are not there, separated by commas.
std::string missing_languages();

}  // namespace bench
