// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace thrum::explore {
namespace {

std::filesystem::path look_up(const std::string& command) {
  if (command.find('/') != std::string::npos) return command;
  const char* const path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    std::filesystem::path candidate = std::filesystem::path(rest.substr(0, colon)) / command;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return command;
}

class ElfFile {
 public:
  explicit ElfFile(const std::filesystem::path& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw CannotCheck(std::strerror(errno));
    elf_version(EV_CURRENT);
    elf_ = elf_begin(fd_, ELF_C_READ, nullptr);
  }
  ~ElfFile() {
    if (elf_ != nullptr) elf_end(elf_);
    if (fd_ >= 0) close(fd_);
  }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;
  Elf* get() const { return elf_; }

 private:
  int fd_;
  Elf* elf_ = nullptr;
};

[[noreturn]] void refuse_sanitizer(std::string_view what) {
  throw CannotCheck(
      fmt::format("it is linked with {}, which takes the place of ours; compile and link it with "
                  "`thrum c++` instead of `g++ -fsanitize=...`",
                  what));
}

void read_symbols(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, Program& program) {
  Elf_Data* const data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return;
  const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
  for (int i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, i, &symbol) == nullptr) continue;
    const char* const text = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (text == nullptr) continue;
    const std::string_view name = text;
    if (name.starts_with("__tsan_")) program.is_instrumented = true;
    // clang links its runtimes statically.
    const bool is_sanitizer =
        name == "__tsan_init" || name == "__asan_init" || name == "__msan_init";
    if (is_sanitizer && symbol.st_shndx != SHN_UNDEF) {
      refuse_sanitizer(fmt::format("the runtime of -fsanitize={}", name[2] == 't'   ? "thread"
                                                                   : name[2] == 'a' ? "address"
                                                                                    : "memory"));
    }
    if (name.starts_with("_ZN7testing14InitGoogleTest")) program.uses_gtest = true;
  }
}

void read_needed(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, Program& program) {
  Elf_Data* const data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return;
  const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
  for (int i = 0; i < count; ++i) {
    GElf_Dyn entry;
    if (gelf_getdyn(data, i, &entry) == nullptr || entry.d_tag != DT_NEEDED) continue;
    const char* const text = elf_strptr(elf, header.sh_link, entry.d_un.d_val);
    const std::string_view name = text != nullptr ? text : "";
    if (name.starts_with("libtsan.so") || name.starts_with("libasan.so")) refuse_sanitizer(name);
    if (name.starts_with("libgomp.so") || name.starts_with("libomp.so")) program.openmp = name;
  }
}

void read_note(Elf_Scn* section, Program& program) {
  Elf_Data* const data = elf_getdata(section, nullptr);
  GElf_Nhdr note;
  std::size_t name = 0;
  std::size_t description = 0;
  std::size_t at = 0;
  while (data != nullptr && (at = gelf_getnote(data, at, &note, &name, &description)) > 0) {
    const auto* const bytes = static_cast<const unsigned char*>(data->d_buf);
    if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
        std::memcmp(bytes + name, "GNU", 4) != 0) {
      continue;
    }
    for (std::size_t i = 0; i < note.n_descsz && i < 4; ++i) {
      program.build_id += fmt::format("{:02x}", bytes[description + i]);
    }
  }
}

}  // namespace

Program examine(const std::string& command) {
  Program program;
  program.path = look_up(command);
  std::error_code unknown;
  if (!std::filesystem::exists(program.path, unknown)) throw CannotCheck("no such program");
  if (std::filesystem::is_directory(program.path, unknown)) throw CannotCheck("it is a folder");
  if (access(program.path.c_str(), X_OK) != 0) throw CannotCheck("it is not executable");
  const ElfFile file(program.path);
  Elf* const elf = file.get();
  if (elf == nullptr || elf_kind(elf) != ELF_K_ELF) {
    throw CannotCheck("it is not a compiled program; give the interpreter's or its own command");
  }
  GElf_Ehdr head;
  if (gelf_getehdr(elf, &head) == nullptr || head.e_machine != EM_X86_64) {
    throw CannotCheck("it is not a program for x86-64, which is all that thrum check knows");
  }
  bool is_dynamic = false;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM) {
      read_symbols(elf, section, header, program);
    } else if (header.sh_type == SHT_DYNAMIC) {
      is_dynamic = true;
      read_needed(elf, section, header, program);
    } else if (header.sh_type == SHT_NOTE) {
      read_note(section, program);
    }
  }
  if (!is_dynamic) {
    throw CannotCheck(
        "it is linked statically, so nothing can be loaded into it; link it without "
        "-static");
  }
  return program;
}

std::filesystem::path runtime_folder() {
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return (here / THRUM_CHECK_FOLDER).lexically_normal();
}

std::filesystem::path runtime_library() { return runtime_folder() / "libthrum_check.so"; }

}  // namespace thrum::explore
