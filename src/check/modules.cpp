// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/modules.h"

#include <link.h>

#include "check/engine.h"

namespace thrum::check {

constinit Found last_found[2]{};

namespace {

constinit std::uint32_t own_module = kModules;
constinit bool instrumented[kModules]{};
constinit bool suppressed[kModules]{};
constinit bool suppresses = false;  // any of them

bool is_same(const char* a, const char* b) noexcept {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

bool begins_with(const char* text, const char* with) noexcept {
  while (*with != 0 && *text == *with) ++text, ++with;
  return *with == 0;
}

const char* file_name(const char* path) noexcept {
  const char* name = path;
  for (; *path != 0; ++path) {
    if (*path == '/') name = path + 1;
  }
  return name;
}

// Does the name match the pattern, which ends where a line does? `*` is any text, `?` any
// character.
bool matches(const char* pattern, const char* name) noexcept {
  const char* star = nullptr;  // the last one, and the rest of the name that follows its text
  const char* rest = nullptr;
  while (*name != 0) {
    if (*pattern == '*') {
      star = ++pattern;
      rest = name;
    } else if (*pattern != '\n' && (*pattern == '?' || *pattern == *name)) {
      ++pattern;
      ++name;
    } else if (star != nullptr) {
      pattern = star;
      name = ++rest;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == '\n';
}

bool is_named(const char* name) noexcept {
  Shared& shared = *engine.shared;
  bool any = false;
  std::uint32_t n = 0;
  for (const char* pattern = shared.job.suppressed; *pattern != 0; ++n) {
    if (matches(pattern, name)) {
      shared.suppressing |= 1U << n % kPatterns;
      any = true;
    }
    while (*pattern++ != '\n') {
    }
  }
  return any;
}

// What a file needs from others is in front of what it defines, which is where its hash table
// begins.
class Needs {
 public:
  explicit Needs(const dl_phdr_info& info) noexcept {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      if (info.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
      const auto* entry =
          reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + info.dlpi_phdr[i].p_vaddr);
      for (; entry->d_tag != DT_NULL; ++entry) {
        // glibc has made addresses of them; not of the kernel's own module's, which is read-only.
        const std::uint64_t value = entry->d_un.d_ptr;
        const std::uint64_t at = value < info.dlpi_addr ? info.dlpi_addr + value : value;
        if (entry->d_tag == DT_SYMTAB) symbols_ = reinterpret_cast<const ElfW(Sym)*>(at);
        if (entry->d_tag == DT_STRTAB) names_ = reinterpret_cast<const char*>(at);
        if (entry->d_tag == DT_GNU_HASH) hash_ = reinterpret_cast<const std::uint32_t*>(at);
      }
    }
  }
  bool has(const char* name) const noexcept {
    if (symbols_ == nullptr || names_ == nullptr || hash_ == nullptr) return false;
    for (std::uint32_t i = 1; i < hash_[1]; ++i) {
      if (is_same(names_ + symbols_[i].st_name, name)) return true;
    }
    return false;
  }

 private:
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  const std::uint32_t* hash_ = nullptr;
};

// Does a file that is not instrumented make threads wait at futexes or by yielding, with atomics of
// its own? Those order what the program does, so that what looks like a race may be none.
bool orders_unseen(const Needs& needs, const char* file) noexcept {
  // What these do is met at their doors. libcrypto asks for random numbers by system call.
  for (const char* known : {"libstdc++.so", "libthrum_", "libcrypto.so"}) {
    if (begins_with(file, known)) return false;
  }
  return needs.has("syscall") || needs.has("sched_yield");
}

int take_module(dl_phdr_info* info, std::size_t, void*) {
  Shared& shared = *engine.shared;
  if (shared.modules == kModules) return 1;
  ModuleFacts module{info->dlpi_addr, ~std::uint64_t{0}, 0, {}};
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const std::uint64_t begin = info->dlpi_addr + header.p_vaddr;
    if (begin < module.begin) module.begin = begin;
    if (begin + header.p_memsz > module.end) module.end = begin + header.p_memsz;
  }
  if (module.end == 0) return 0;
  if (info->dlpi_name[0] != 0) {
    copy_text(module.path, sizeof module.path, info->dlpi_name);
  } else if (shared.modules == 0) {  // the program itself has no name
    raw_syscall(SYS_readlink, as_long("/proc/self/exe"), as_long(module.path),
                sizeof module.path - 1);
  }
  const auto here = reinterpret_cast<std::uintptr_t>(&take_module);
  if (module.begin <= here && here < module.end && own_module == kModules) {
    own_module = shared.modules;
    const std::uint64_t begin = module.begin & ~std::uint64_t{4095};
    own(reinterpret_cast<char*>(begin), ((module.end + 4095) & ~std::uint64_t{4095}) - begin);
  }
  const Needs needs(*info);
  // The function that every instrumented object file calls first.
  instrumented[shared.modules] = own_module != shared.modules && needs.has("__tsan_init");
  const char* const file = file_name(info->dlpi_name);
  if (shared.modules != 0 && !instrumented[shared.modules] && shared.blind[0] == 0 &&
      orders_unseen(needs, file)) {
    copy_text(shared.blind, sizeof shared.blind, file);
  }
  suppressed[shared.modules] = own_module != shared.modules && is_named(file_name(module.path));
  suppresses |= suppressed[shared.modules];
  shared.module[shared.modules++] = module;
  return 0;
}

}  // namespace

void read_modules() noexcept {
  engine.shared->modules = 0;
  last_found[0] = last_found[1] = {};
  suppresses = false;
  dl_iterate_phdr(take_module, nullptr);
}

bool is_runtime(std::uint64_t address) noexcept {
  const ModuleFacts& module = engine.shared->module[own_module];
  return own_module < engine.shared->modules && module.begin <= address && address < module.end;
}

bool is_instrumented(std::uint64_t address) noexcept {
  const Shared& shared = *engine.shared;
  for (std::uint32_t i = 0; i < shared.modules; ++i) {
    if (!instrumented[i]) continue;
    const ModuleFacts& module = shared.module[i];
    if (module.begin <= address && address < module.end) return true;
  }
  return false;
}

bool is_suppressed(std::uint64_t address) noexcept {
  if (!suppresses) return false;
  const Shared& shared = *engine.shared;
  for (std::uint32_t i = 0; i < shared.modules; ++i) {
    const ModuleFacts& module = shared.module[i];
    if (suppressed[i] && module.begin <= address && address < module.end) return true;
  }
  return false;
}

std::uint64_t find_relative(std::uint64_t address) noexcept {
  const Shared& shared = *engine.shared;
  for (std::uint32_t i = 0; i < shared.modules; ++i) {
    const ModuleFacts& module = shared.module[i];
    if (address < module.begin || address >= module.end) continue;
    last_found[1] = last_found[0];
    last_found[0] = {module.base, module.begin, module.end - module.begin};
    return address - module.base;
  }
  return address;
}

}  // namespace thrum::check
