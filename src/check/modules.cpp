// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/modules.h"

#include <link.h>

#include "check/engine.h"

namespace thrum::check {
namespace {

constinit std::uint32_t last_found = 0;
constinit std::uint32_t own_module = kModules;
constinit bool instrumented[kModules]{};

bool is_hook(const char* name) noexcept {
  static constexpr char kHook[] = "__tsan_init";
  std::size_t i = 0;
  while (i + 1 < sizeof kHook && name[i] == kHook[i]) ++i;
  return i + 1 == sizeof kHook && name[i] == 0;
}

// Does it need the function that every instrumented object file calls first? What a file needs from
// others is in front of what it defines, which is where its hash table begins.
bool needs_hook(const dl_phdr_info& info) noexcept {
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  const std::uint32_t* hash = nullptr;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    if (info.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const auto* entry =
        reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + info.dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      // glibc has made addresses of them; not of the kernel's own module's, which is read-only.
      const std::uint64_t value = entry->d_un.d_ptr;
      const std::uint64_t at = value < info.dlpi_addr ? info.dlpi_addr + value : value;
      if (entry->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(at);
      if (entry->d_tag == DT_STRTAB) names = reinterpret_cast<const char*>(at);
      if (entry->d_tag == DT_GNU_HASH) hash = reinterpret_cast<const std::uint32_t*>(at);
    }
  }
  if (symbols == nullptr || names == nullptr || hash == nullptr) return false;
  const std::uint32_t first_defined = hash[1];
  for (std::uint32_t i = 1; i < first_defined; ++i) {
    if (is_hook(names + symbols[i].st_name)) return true;
  }
  return false;
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
  instrumented[shared.modules] = own_module != shared.modules && needs_hook(*info);
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

bool is_instrumented(std::uint64_t address) noexcept {
  const Shared& shared = *engine.shared;
  for (std::uint32_t i = 0; i < shared.modules; ++i) {
    if (!instrumented[i]) continue;
    const ModuleFacts& module = shared.module[i];
    if (module.begin <= address && address < module.end) return true;
  }
  return false;
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
