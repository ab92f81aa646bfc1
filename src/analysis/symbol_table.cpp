// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/symbol_table.h"

#include <algorithm>
#include <tuple>

namespace thrum::analysis {
namespace {

// Of several names of one thing the one that others see.
int rank_of(const SymbolTable::Symbol& symbol) {
  switch (symbol.binding) {
    case STB_GLOBAL:
      return 3;
    case STB_WEAK:
      return 2;
    case STB_LOCAL:
      return 1;
    default:
      return 0;
  }
}

// By its start; of those that begin together the better one is later: known more widely, smaller,
// earlier in the file.
auto order_of(const SymbolTable::Symbol& symbol) {
  return std::tuple(symbol.start, rank_of(symbol), ~symbol.size, -symbol.index);
}

}  // namespace

SymbolTable::SymbolTable(Dwfl_Module* module) : module_(module) {
  const int n = dwfl_module_getsymtab(module);
  symbols_.reserve(static_cast<std::size_t>(std::max(n, 0)));
  for (int i = 1; i < n; ++i) {  // the first is nothing
    GElf_Sym symbol{};
    GElf_Addr start = 0;
    GElf_Word section = SHN_UNDEF;
    const char* const name =
        dwfl_module_getsym_info(module, i, &symbol, &start, &section, nullptr, nullptr);
    const auto type = static_cast<unsigned char>(GELF_ST_TYPE(symbol.st_info));
    if (name == nullptr || *name == '\0' || section == SHN_UNDEF || type == STT_SECTION ||
        type == STT_FILE || type == STT_TLS) {
      continue;
    }
    symbols_.push_back({start, symbol.st_size, name, type,
                        static_cast<unsigned char>(GELF_ST_BIND(symbol.st_info)), i});
  }
  std::ranges::sort(symbols_, {}, order_of);
  ends_.reserve(symbols_.size());
  std::uint64_t end = 0;
  for (const Symbol& symbol : symbols_) {
    end = std::max(end, symbol.start + symbol.size);
    ends_.push_back(end);
  }
}

bool SymbolTable::is_in_section_of(std::uint64_t address, const Symbol& label) const {
  GElf_Sym symbol{};
  GElf_Addr start = 0;
  GElf_Word section = SHN_UNDEF;
  Elf* file = nullptr;
  Dwarf_Addr bias = 0;
  dwfl_module_getsym_info(module_, label.index, &symbol, &start, &section, &file, &bias);
  GElf_Shdr head{};
  if (section >= SHN_LORESERVE || gelf_getshdr(elf_getscn(file, section), &head) == nullptr) {
    return false;
  }
  return address - bias - head.sh_addr < head.sh_size;
}

const SymbolTable::Symbol* SymbolTable::at(std::uint64_t address) const {
  const auto behind = std::ranges::upper_bound(symbols_, address, {}, &Symbol::start);
  const Symbol* label = nullptr;
  bool is_behind_another = false;  // which has ended: what comes before it has, too
  for (auto i = static_cast<std::size_t>(behind - symbols_.begin()); i-- > 0;) {
    const Symbol& symbol = symbols_[i];
    if (symbol.size == 0) {
      const bool is_inside = i > 0 && ends_[i - 1] > symbol.start;
      if (label == nullptr && !is_behind_another && !is_inside) label = &symbol;
    } else if (address - symbol.start < symbol.size) {
      return &symbol;
    } else {
      is_behind_another = true;
    }
    if (ends_[i] <= address) break;
  }
  return label != nullptr && is_in_section_of(address, *label) ? label : nullptr;
}

}  // namespace thrum::analysis
