// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/symbol_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <string>

namespace thrum::analysis {
namespace {

// The modules of this process, as libdw sees them.
class OwnModules {
 public:
  OwnModules() {
    callbacks_.find_elf = dwfl_linux_proc_find_elf;
    callbacks_.find_debuginfo = [](auto...) { return -1; };
    dwfl_ = dwfl_begin(&callbacks_);
    dwfl_report_begin(dwfl_);
    dwfl_linux_proc_report(dwfl_, getpid());
    dwfl_report_end(dwfl_, nullptr, nullptr);
  }
  ~OwnModules() { dwfl_end(dwfl_); }
  OwnModules(const OwnModules&) = delete;
  OwnModules& operator=(const OwnModules&) = delete;

  void each(std::function<void(Dwfl_Module*)> visit) const {
    dwfl_getmodules(
        dwfl_,
        [](Dwfl_Module* module, void**, const char*, Dwarf_Addr, void* argument) {
          (*static_cast<std::function<void(Dwfl_Module*)>*>(argument))(module);
          return static_cast<int>(DWARF_CB_OK);
        },
        &visit, 0);
  }

 private:
  Dwfl_Callbacks callbacks_{};
  Dwfl* dwfl_ = nullptr;
};

struct Found {
  std::uint64_t start = 0;  // 0: nothing
  std::uint64_t size = 0;
};

// libdw looks at each symbol, for one address.
Found by_libdw(Dwfl_Module* module, std::uint64_t address) {
  GElf_Off offset = 0;
  GElf_Sym symbol{};
  const char* const name =
      dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  return name != nullptr ? Found{address - offset, symbol.st_size} : Found{};
}

Found by_table(const SymbolTable& table, std::uint64_t address) {
  const SymbolTable::Symbol* const symbol = table.at(address);
  return symbol != nullptr ? Found{symbol->start, symbol->size} : Found{};
}

TEST(SymbolTable, FindsWhatLibdwFinds) {
  const OwnModules modules;
  std::size_t tried = 0, found = 0;
  modules.each([&](Dwfl_Module* module) {
    const SymbolTable table(module);
    Dwarf_Addr start = 0, end = 0;
    dwfl_module_info(module, nullptr, &start, &end, nullptr, nullptr, nullptr, nullptr);
    // Addresses all over it; libdw takes a millisecond for some.
    constexpr std::uint64_t kOfAModule = 300;
    for (std::uint64_t i = 0; i < kOfAModule; ++i) {
      const std::uint64_t address = start + (end - start) / kOfAModule * i + i % 13;
      const Found one = by_libdw(module, address), other = by_table(table, address);
      ++tried;
      found += one.start != 0 ? 1 : 0;
      EXPECT_EQ(one.start, other.start) << std::hex << address - start;
      EXPECT_EQ(one.size, other.size) << std::hex << address - start;
    }
  });
  EXPECT_GT(tried, 1000u);
  EXPECT_GT(found, tried / 4);
}

// What a name is that several have is for the table to say; that it is one of them is known.
TEST(SymbolTable, TheFirstAndTheLastByteOfAFunctionAreIts) {
  const OwnModules modules;
  bool seen = false;
  modules.each([&](Dwfl_Module* module) {
    const SymbolTable table(module);
    const auto at = reinterpret_cast<std::uintptr_t>(&by_libdw);
    const SymbolTable::Symbol* const symbol = table.at(at);
    if (symbol == nullptr) return;
    seen = true;
    EXPECT_NE(std::string(symbol->name).find("by_libdw"), std::string::npos);
    EXPECT_EQ(symbol->start, at);
    EXPECT_EQ(table.at(at + symbol->size - 1), symbol);
    EXPECT_NE(table.at(at - 1), symbol);
    EXPECT_NE(table.at(at + symbol->size), symbol);
  });
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace thrum::analysis
