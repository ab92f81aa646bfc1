// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/program.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

namespace thrum::analysis {
namespace {

constexpr int kDeepestScript = 4;  // as the kernel

bool is_file(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// Sets `path`, or errno.
bool search(const std::string& command, std::string& path) {
  if (command.find('/') != std::string::npos) {
    path = command;
    if (access(path.c_str(), X_OK) != 0) return false;
    errno = EACCES;
    return is_file(path);
  }
  const char* const folders = std::getenv("PATH");
  std::string_view rest = folders != nullptr ? folders : "/usr/local/bin:/usr/bin:/bin";
  for (;;) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    path = fmt::format("{}/{}", end == 0 ? "." : rest.substr(0, end), command);
    if (access(path.c_str(), X_OK) == 0 && is_file(path)) return true;
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  errno = ENOENT;
  return false;
}

class OpenElf {
 public:
  explicit OpenElf(int file) : elf_(elf_begin(file, ELF_C_READ_MMAP, nullptr)) {}
  ~OpenElf() { elf_end(elf_); }
  OpenElf(const OpenElf&) = delete;
  OpenElf& operator=(const OpenElf&) = delete;
  Elf* get() const { return elf_; }

 private:
  Elf* elf_;
};

// Looks through the names that the dynamic linker sees: sanitizer runtimes are linked as a library
// or in the program itself.
std::string_view sanitizer_of(Elf* elf) {
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNSYM ||
        header.sh_entsize == 0) {
      continue;
    }
    Elf_Data* const data = elf_getdata(section, nullptr);
    const auto n = static_cast<int>(header.sh_size / header.sh_entsize);
    for (int i = 0; data != nullptr && i < n; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, i, &symbol) == nullptr) break;
      const char* const name = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name == nullptr) continue;
      if (std::strcmp(name, "__asan_init") == 0) return "the address sanitizer";
      if (std::strcmp(name, "__tsan_init") == 0) return "the thread sanitizer";
      if (std::strcmp(name, "__msan_init") == 0) return "the memory sanitizer";
    }
  }
  return {};
}

bool is_go(Elf* elf) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return false;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* const name = elf_strptr(elf, names, header.sh_name);
    if (name != nullptr && std::strcmp(name, ".go.buildinfo") == 0) return true;
  }
  return false;
}

// Returns why an ELF file cannot be run or read, empty if it can.
std::string problem_of(Elf* elf) {
  GElf_Ehdr header;
  if (gelf_getehdr(elf, &header) == nullptr) return "not a program that can be read";
#if defined(__x86_64__)
  if (header.e_machine != EM_X86_64) return "made for another processor than thrum";
#endif
  return {};
}

// Returns why no recorder can be loaded into an ELF file, empty if one can.
std::string unrecordable(Elf* elf, const struct stat& status) {
  if ((status.st_mode & (S_ISUID | S_ISGID)) != 0 && geteuid() != 0) {
    return "it is setuid: the system lets nobody look inside";
  }
  std::size_t n = 0;
  elf_getphdrnum(elf, &n);
  std::string interpreter;
  for (std::size_t i = 0; i < n; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) break;
    if (segment.p_type != PT_INTERP) continue;
    std::size_t size = 0;
    const char* const file = elf_rawfile(elf, &size);
    if (file != nullptr && segment.p_filesz > 0 && segment.p_offset < size &&
        segment.p_filesz <= size - segment.p_offset) {
      interpreter.assign(file + segment.p_offset, segment.p_filesz - 1);
    }
  }
  if (interpreter.empty() && is_go(elf)) {
    return "it is a Go program without libc: its threads can be seen, not its goroutines";
  }
  if (interpreter.empty()) {
    return "it is statically linked: its calls into libc cannot be seen";
  }
  if (interpreter.find("musl") != std::string::npos)
    return "it is linked with musl, not with glibc";
  if (const std::string_view sanitizer = sanitizer_of(elf); !sanitizer.empty()) {
    return fmt::format("it is built with {}, which takes the same calls", sanitizer);
  }
  return {};
}

// Returns the interpreter that a script names, empty if it is none.
std::string interpreter_of(std::string_view head) {
  if (!head.starts_with("#!")) return {};
  head = head.substr(2, std::min(head.find('\n'), head.size()) - 2);
  head.remove_prefix(std::min(head.find_first_not_of(" \t"), head.size()));
  std::string path(head.substr(0, head.find_first_of(" \t\r")));
  if (!path.ends_with("/env")) return path;
  // #!/usr/bin/env python3
  head.remove_prefix(path.size());
  head.remove_prefix(std::min(head.find_first_not_of(" \t"), head.size()));
  const std::string command(head.substr(0, head.find_first_of(" \t\r")));
  std::string found;
  return !command.empty() && command[0] != '-' && search(command, found) ? found : path;
}

}  // namespace

Program find_program(const std::string& command) {
  Program program;
  if (!search(command, program.path)) {
    program.problem = errno == ENOENT && command.find('/') == std::string::npos
                          ? "no such command"
                          : std::generic_category().message(errno);
    program.path.clear();
    program.missing = true;
    return program;
  }
  elf_version(EV_CURRENT);
  std::string path = program.path;
  for (int depth = 0; depth < kDeepestScript; ++depth) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                               std::fclose);
    if (file == nullptr) return program;  // may be run, not read: it will be seen
    std::array<char, 256> head{};
    const std::size_t n = std::fread(head.data(), 1, head.size(), file.get());
    const std::string_view text(head.data(), n);
    if (text.starts_with(ELFMAG)) {
      struct stat status{};
      fstat(fileno(file.get()), &status);
      const OpenElf elf(fileno(file.get()));
      if (elf.get() == nullptr) return program;
      program.problem = problem_of(elf.get());
      if (program.problem.empty()) program.unrecordable = unrecordable(elf.get(), status);
      return program;
    }
    path = interpreter_of(text);
    if (path.empty()) return program;  // the shell will run it
  }
  return program;
}

}  // namespace thrum::analysis
