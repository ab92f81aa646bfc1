// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <vector>

namespace thrum::analysis {

/// The symbols of a module in order of their addresses. libdw goes through all of them for each
/// address that it is asked for; this does it once.
class SymbolTable {
 public:
  struct Symbol {
    std::uint64_t start, size;  ///< size 0: a label, which reaches to the next symbol
    const char* name;           ///< as long as the module is there
    unsigned char type, binding;
    int index;  ///< libdw's
  };

  explicit SymbolTable(Dwfl_Module* module);
  /// Returns the symbol that an address belongs to; null if it belongs to none.
  const Symbol* at(std::uint64_t address) const;

 private:
  bool is_in_section_of(std::uint64_t address, const Symbol& label) const;

  Dwfl_Module* module_;
  std::vector<Symbol> symbols_{};      // by start; the better ones later
  std::vector<std::uint64_t> ends_{};  // of all up to here, the highest
};

}  // namespace thrum::analysis
