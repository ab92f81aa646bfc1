// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Names what an execution has numbers and addresses of: threads, objects, places. All that it
// returns is printable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/symbols.h"
#include "explore/campaign.h"

namespace thrum::explore {

/// A line of the program's own sources, or only a function where there is no debug information.
struct Place {
  std::string function;  // without arguments
  std::string file;      // without folders; empty if not known
  std::uint32_t line = 0;

  /// Returns `file:line`, or the function.
  std::string text() const;
  bool operator==(const Place&) const = default;
};

class Names {
 public:
  explicit Names(const Execution& execution);

  std::string thread(unsigned id) const;
  /// Returns the name of a variable, else its sort and number: `mutex #2`. Empty if the step is
  /// with nothing.
  std::string object(check::Op op, std::uint64_t address, std::uint32_t number);
  /// Returns the place in the program's own sources that an address and its callers belong to.
  Place place(const std::vector<std::uint64_t>& stack, std::uint64_t pc);
  /// Returns the frames of a stack that are the program's own, from the innermost.
  std::vector<Place> frames(const std::vector<std::uint64_t>& stack);

 private:
  const Execution& execution_;
  analysis::Symbols symbols_;
};

}  // namespace thrum::explore
