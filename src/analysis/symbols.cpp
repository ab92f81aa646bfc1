// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/symbols.h"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "analysis/debug_files.h"
#include "analysis/symbol_table.h"

namespace thrum::analysis {
namespace {

constexpr std::size_t kDeepest = 128;

// What libdw calls back with: one stack, of a thread that is long gone.
struct Snapshot {
  const trace::Registers* registers;
  std::span<const unsigned char> bytes;
  Symbols::Known known = Symbols::Known::all;
  std::vector<std::uint64_t> addresses{};
  bool asked = false;
};

pid_t next_thread(Dwfl*, void* argument, void** thread_argument) {
  auto& snapshot = *static_cast<Snapshot*>(argument);
  if (snapshot.asked) return 0;
  snapshot.asked = true;
  *thread_argument = argument;
  return 1;
}

bool read_memory(Dwfl*, Dwarf_Addr address, Dwarf_Word* word, void* argument) {
  const auto& snapshot = *static_cast<const Snapshot*>(argument);
  const std::uint64_t at = address - snapshot.registers->sp;
  if (at > snapshot.bytes.size() || snapshot.bytes.size() - at < sizeof *word) return false;
  std::memcpy(word, snapshot.bytes.data() + at, sizeof *word);
  return true;
}

bool set_registers(Dwfl_Thread* thread, void* argument) {
  const auto& snapshot = *static_cast<const Snapshot*>(argument);
  const trace::Registers& registers = *snapshot.registers;
  // By their numbers in DWARF, of the psABI for x86-64: 3 rbx, 6 rbp, 7 rsp, 12 to 15 r12 to r15.
  constexpr int kStackPointer = 7;
  const struct {
    int number;
    Dwarf_Word value;
  } known[] = {{3, registers.bx},   {6, registers.bp},   {7, registers.sp},  {12, registers.r12},
               {13, registers.r13}, {14, registers.r14}, {15, registers.r15}};
  for (const auto& [number, value] : known) {
    if (snapshot.known == Symbols::Known::pc_and_sp && number != kStackPointer) continue;
    if (!dwfl_thread_state_registers(thread, number, 1, &value)) return false;
  }
  dwfl_thread_state_register_pc(thread, registers.pc);
  return true;
}

int take_frame(Dwfl_Frame* frame, void* argument) {
  auto& snapshot = *static_cast<Snapshot*>(argument);
  Dwarf_Addr pc = 0;
  if (!dwfl_frame_pc(frame, &pc, nullptr) || snapshot.addresses.size() >= kDeepest) {
    return DWARF_CB_ABORT;
  }
  snapshot.addresses.push_back(pc);
  return DWARF_CB_OK;
}

std::string_view text_of(const char* text) { return text != nullptr ? text : ""; }

std::string name_of(Dwarf_Die* function) {
  Dwarf_Attribute attribute;
  for (const unsigned name : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    if (dwarf_attr_integrate(function, name, &attribute) != nullptr) {
      return demangled(std::string(text_of(dwarf_formstring(&attribute))));
    }
  }
  return std::string(text_of(dwarf_diename(function)));
}

std::uint64_t attribute_of(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(die, name, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0) {
    return 0;
  }
  return value;
}

// Where an inlined function was called from.
void take_call(Dwarf_Die* cu, Dwarf_Die* inlined, Frame& frame) {
  Dwarf_Files* files = nullptr;
  std::size_t n = 0;
  const std::uint64_t file = attribute_of(inlined, DW_AT_call_file);
  frame.line = static_cast<std::uint32_t>(attribute_of(inlined, DW_AT_call_line));
  if (dwarf_getsrcfiles(cu, &files, &n) == 0 && file < n) {
    frame.file = text_of(dwarf_filesrc(files, file, nullptr, nullptr));
  }
}

// Adds what lies around an address, from the innermost outwards.
bool search_scopes(Dwarf_Die& parent, Dwarf_Addr pc, std::vector<Dwarf_Die>& scopes) {
  Dwarf_Die die;
  if (dwarf_child(&parent, &die) != 0) return false;
  do {
    const bool is_inside = search_scopes(die, pc, scopes);
    if (dwarf_haspc(&die, pc) > 0) {
      scopes.push_back(die);
      return true;
    }
    if (is_inside) return true;
  } while (dwarf_siblingof(&die, &die) == 0);
  return false;
}

// The same, as elfutils finds it; it does not look for a lambda's body inside of the function that
// the lambda is written in, whose own code is elsewhere.
std::vector<Dwarf_Die> scopes_at(Dwarf_Die* cu, Dwarf_Addr pc) {
  std::vector<Dwarf_Die> found;
  if (cu == nullptr) return found;
  Dwarf_Die* innermost = nullptr;
  Dwarf_Die* scopes = nullptr;
  // The innermost scope, then what it really lies in: not the scopes of its definition.
  int n = dwarf_getscopes(cu, pc, &innermost);
  if (n > 0) n = dwarf_getscopes_die(innermost, &scopes);
  if (n > 0) found.assign(scopes, scopes + n);
  std::free(scopes);
  std::free(innermost);
  if (found.empty()) search_scopes(*cu, pc, found);
  return found;
}

// The system's own: the names of its functions say enough, and its lines are much to read.
bool is_system(std::string_view path) {
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return file.starts_with("libc.so") || file.starts_with("libpthread.so") ||
         file.starts_with("ld-linux") || file.starts_with("libthrum_watch.so");
}

// Returns the compilation unit that an address is in; null if there is none.
Dwarf_Die* unit_of(Dwfl_Module* module, Dwarf_Addr pc, Dwarf_Addr& bias) {
  if (Dwarf_Die* const unit = dwfl_module_addrdie(module, pc, &bias)) return unit;
  // Clang writes no .debug_aranges: look through all of them.
  Dwarf_Die* unit = nullptr;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
    if (dwarf_haspc(unit, pc - bias) == 1) return unit;
  }
  return nullptr;
}

}  // namespace

struct Symbols::Impl {
  Dwfl* dwfl = nullptr;
  char* debuginfo_path = nullptr;
  Dwfl_Callbacks callbacks{};
  Dwfl_Thread_Callbacks thread_callbacks{};
  Snapshot snapshot{};
  bool attached = false;
  std::map<std::uint64_t, std::vector<Frame>> known{};
  std::map<Dwfl_Module*, SymbolTable> tables{};

  Impl() {
    callbacks.find_elf = [](Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) {
      return -1;
    };
    callbacks.find_debuginfo = find_debug_file;
    callbacks.debuginfo_path = &debuginfo_path;
    dwfl = dwfl_begin(&callbacks);
    thread_callbacks.next_thread = next_thread;
    thread_callbacks.memory_read = read_memory;
    thread_callbacks.set_initial_registers = set_registers;
  }
  ~Impl() {
    if (dwfl != nullptr) dwfl_end(dwfl);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::vector<Frame> find(std::uint64_t return_address);
  const SymbolTable::Symbol* symbol_at(Dwfl_Module* module, std::uint64_t address) {
    return tables.try_emplace(module, module).first->second.at(address);
  }
};

Symbols::Symbols(const std::vector<Module>& modules) : impl_(std::make_unique<Impl>()) {
  if (impl_->dwfl == nullptr) return;
  dwfl_report_begin(impl_->dwfl);
  for (const Module& module : modules) {
    if (module.path.empty() || module.path[0] != '/') continue;  // the kernel's own
    const int file = open_regular(module.path);
    if (file < 0) continue;
    if (dwfl_report_elf(impl_->dwfl, module.path.c_str(), module.path.c_str(), file, module.bias,
                        true) == nullptr) {
      close(file);
    }
  }
  dwfl_report_end(impl_->dwfl, nullptr, nullptr);
}

Symbols::~Symbols() = default;
Symbols::Symbols(Symbols&&) noexcept = default;
Symbols& Symbols::operator=(Symbols&&) noexcept = default;

std::vector<Frame> Symbols::Impl::find(std::uint64_t return_address) {
  const Dwarf_Addr pc = return_address - 1;  // inside the call
  Dwfl_Module* const module = dwfl != nullptr ? dwfl_addrmodule(dwfl, pc) : nullptr;
  if (module == nullptr) return {{fmt::format("{:#x}", return_address), {}, 0, {}}};

  Dwarf_Addr start = 0;
  const std::string path(text_of(
      dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr)));
  const SymbolTable::Symbol* const symbol = symbol_at(module, pc);
  Frame frame{symbol != nullptr
                  ? demangled(symbol->name)
                  : fmt::format("{}+{:#x}", path.substr(path.rfind('/') + 1), pc - start),
              {},
              0,
              path};
  Dwarf_Addr bias = 0;
  Dwarf_Die* const cu = is_system(path) ? nullptr : unit_of(module, pc, bias);
  if (Dwarf_Line* const line = cu != nullptr ? dwarf_getsrc_die(cu, pc - bias) : nullptr) {
    int number = 0;
    (void)dwarf_lineno(line, &number);
    frame.file = text_of(dwarf_linesrc(line, nullptr, nullptr));
    frame.line = static_cast<std::uint32_t>(number);
  }

  std::vector<Frame> found;
  for (Dwarf_Die& scope : scopes_at(cu, pc - bias)) {
    const int tag = dwarf_tag(&scope);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram) continue;
    if (std::string called = name_of(&scope); !called.empty()) frame.function = std::move(called);
    found.push_back(frame);
    if (tag == DW_TAG_subprogram) break;
    take_call(cu, &scope, frame);
  }
  if (found.empty()) found.push_back(frame);
  return found;
}

std::vector<Frame> Symbols::frames(std::uint64_t return_address) {
  auto [known, is_new] = impl_->known.try_emplace(return_address);
  if (is_new) known->second = impl_->find(return_address);
  return known->second;
}

std::string Symbols::variable(std::uint64_t address) {
  Dwfl_Module* const module =
      impl_->dwfl != nullptr ? dwfl_addrmodule(impl_->dwfl, address) : nullptr;
  if (module == nullptr) return {};
  const SymbolTable::Symbol* const symbol = impl_->symbol_at(module, address);
  if (symbol == nullptr || symbol->type != STT_OBJECT || symbol->size == 0) return {};
  std::string name = demangled(symbol->name);
  return address == symbol->start ? name : fmt::format("{}+{}", name, address - symbol->start);
}

std::vector<std::uint64_t> Symbols::unwind(const trace::Registers& registers,
                                           std::span<const unsigned char> bytes, Known known) {
  if (impl_->dwfl == nullptr) return {};
  impl_->snapshot = {&registers, bytes, known};
  if (!impl_->attached) {
    impl_->attached =
        dwfl_attach_state(impl_->dwfl, nullptr, 1, &impl_->thread_callbacks, &impl_->snapshot);
    if (!impl_->attached) return {};
  }
  dwfl_getthreads(
      impl_->dwfl,
      [](Dwfl_Thread* thread, void* argument) {
        dwfl_thread_getframes(thread, take_frame, argument);
        return static_cast<int>(DWARF_CB_OK);
      },
      &impl_->snapshot);
  return std::move(impl_->snapshot.addresses);
}

std::string demangled_type(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 && text != nullptr ? std::string(text.get()) : name;
}

std::string demangled(const std::string& symbol) {
  // A function of C called f is not float.
  return symbol.starts_with("_Z") ? demangled_type(symbol) : symbol;
}

}  // namespace thrum::analysis
