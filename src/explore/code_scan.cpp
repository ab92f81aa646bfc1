// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/code_scan.h"

#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "analysis/symbols.h"
#include "explore/instruction.h"

namespace thrum::explore {
namespace {

struct Function {
  std::string_view name;
  std::uint64_t address, size;
};

// What of a static GoogleTest is in a program, and was not compiled by thrum c++.
bool is_gtests(std::string_view name) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"_ZN7testing", "_ZNK7testing", "_ZNSt", "_ZNKSt"},
      [&](std::string_view begin) { return name.starts_with(begin); });
}

void add(std::vector<std::string>& functions, std::string_view name) {
  std::string function = analysis::demangled(std::string(name));
  if (functions.size() < kMostUnseen && std::ranges::find(functions, function) == functions.end()) {
    functions.push_back(std::move(function));
  }
}

void scan(const unsigned char* code, std::size_t size, std::string_view name, UnseenCode& found) {
  for (std::size_t at = 0; at < size;) {
    const Instruction instruction = read_instruction(code + at, size - at);
    if (instruction.length == 0) return;  // where the next one begins is not known
    if (instruction.kind == InstructionKind::atomic) add(found.atomics, name);
    if (instruction.kind == InstructionKind::system_call) add(found.system_calls, name);
    at += instruction.length;
  }
}

std::vector<Function> functions_of(Elf* elf) {
  std::vector<Function> functions;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    Elf_Data* data = nullptr;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB ||
        header.sh_entsize == 0 || (data = elf_getdata(section, nullptr)) == nullptr) {
      continue;
    }
    const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
    for (int i = 0; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, i, &symbol) == nullptr || symbol.st_size == 0) continue;
      if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
      const char* const name = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name != nullptr) functions.push_back({name, symbol.st_value, symbol.st_size});
    }
  }
  std::ranges::sort(functions, {}, &Function::address);
  return functions;
}

}  // namespace

UnseenCode unseen_code(const Program& program) {
  UnseenCode found;
  const int fd = open(program.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return found;
  elf_version(EV_CURRENT);
  if (Elf* const elf = elf_begin(fd, ELF_C_READ, nullptr); elf != nullptr) {
    const std::vector<Function> functions = functions_of(elf);
    Elf_Scn* section = nullptr;
    while ((section = elf_nextscn(elf, section)) != nullptr) {
      GElf_Shdr header;
      Elf_Data* data = nullptr;
      if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_PROGBITS ||
          (header.sh_flags & SHF_EXECINSTR) == 0 ||
          (data = elf_getdata(section, nullptr)) == nullptr || data->d_buf == nullptr) {
        continue;
      }
      for (const Function& each : functions) {
        const std::uint64_t offset = each.address - header.sh_addr;
        if (each.address < header.sh_addr || offset >= data->d_size) continue;
        if (program.uses_gtest && is_gtests(each.name)) continue;
        scan(static_cast<const unsigned char*>(data->d_buf) + offset,
             std::min<std::uint64_t>(each.size, data->d_size - offset), each.name, found);
      }
    }
    elf_end(elf);
  }
  close(fd);
  return found;
}

}  // namespace thrum::explore
