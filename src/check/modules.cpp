// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/modules.h"

#include <link.h>

#include "check/engine.h"

namespace thrum::check {
namespace {

constinit std::uint32_t last_found = 0;
constinit std::uint32_t own_module = kModules;

bool is_in(const char* text, const char* part) noexcept {
  for (; *text != 0; ++text) {
    std::size_t n = 0;
    while (part[n] != 0 && text[n] == part[n]) ++n;
    if (part[n] == 0) return true;
  }
  return false;
}

const char* file_name(const char* path) noexcept {
  const char* name = path;
  for (; *path != 0; ++path) {
    if (*path == '/') name = path + 1;
  }
  return name;
}

// The names that a library defines or needs, one after the other.
struct Names {
  const char* text;
  std::size_t size;
};

Names names_of(const dl_phdr_info& info, const ElfW(Phdr) & dynamic) noexcept {
  Names names{nullptr, 0};
  const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + dynamic.p_vaddr);
  for (; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_STRTAB) names.text = reinterpret_cast<const char*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_STRSZ) names.size = entry->d_un.d_val;
  }
  // The vdso's are not relocated; nobody asks for them.
  const auto address = reinterpret_cast<std::uintptr_t>(names.text);
  return address < info.dlpi_addr ? Names{nullptr, 0} : names;
}

// Does it make threads wait at futexes or by yielding, with atomics of its own that are not seen?
// Those order what the program does, so that what looks like a race may be none.
bool orders_unseen(const Names& names, const char* file) noexcept {
  // What these do is met at their doors. libcrypto asks for random numbers by system call.
  for (const char* known : {"libc.so", "libstdc++.so", "libgcc_s", "libthrum_", "libcrypto.so",
                            "ld-linux", "libpthread", "libatomic"}) {
    if (is_in(file, known)) return false;
  }
  bool waits = false;
  for (std::size_t at = 0; at < names.size;) {
    const char* const name = names.text + at;
    std::size_t length = 0;
    while (name[length] != 0) ++length;
    if (is_in(name, "__tsan_")) return false;  // compiled by thrum c++
    waits = waits || (length == 7 && is_in(name, "syscall")) ||
            (length == 11 && is_in(name, "sched_yield"));
    at += length + 1;
  }
  return waits;
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
  for (int i = 0; i < info->dlpi_phnum && shared.modules != 0 && shared.blind[0] == 0; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const char* const file = file_name(info->dlpi_name);
    if (orders_unseen(names_of(*info, info->dlpi_phdr[i]), file)) {
      copy_text(shared.blind, sizeof shared.blind, file);
    }
  }
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
  shared.module[shared.modules++] = module;
  return 0;
}

}  // namespace

void read_modules() noexcept {
  engine.shared->modules = 0;
  last_found = 0;
  dl_iterate_phdr(take_module, nullptr);
}

bool is_runtime(std::uint64_t address) noexcept {
  const ModuleFacts& module = engine.shared->module[own_module];
  return own_module < engine.shared->modules && module.begin <= address && address < module.end;
}

std::uint64_t relative(std::uint64_t address) noexcept {
  const Shared& shared = *engine.shared;
  const ModuleFacts* module = &shared.module[last_found];
  if (module->begin <= address && address < module->end) return address - module->base;
  for (std::uint32_t i = 0; i < shared.modules; ++i) {
    module = &shared.module[i];
    if (address < module->begin || address >= module->end) continue;
    last_found = i;
    return address - module->base;
  }
  return address;
}

}  // namespace thrum::check
