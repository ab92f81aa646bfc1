// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/names.h"

#include <fmt/format.h>

#include "explore/words.h"
#include "text/terminal.h"

namespace thrum::explore {
namespace {

using check::Op;

std::vector<analysis::Module> modules(const Execution& execution) {
  std::vector<analysis::Module> all;
  for (const check::ModuleFacts& module : execution.modules) {
    analysis::Module known;
    known.path = module.path;
    known.bias = module.base;
    all.push_back(known);
  }
  return all;
}

// Not the program's own: headers of the system, and what its libraries were built from, whose paths
// are relative as a program's may be.
bool is_system(const analysis::Frame& frame) {
  const auto is_in_system = [](const std::string& path) {
    return path.starts_with("/usr/include/") || path.starts_with("/usr/lib/") ||
           path.starts_with("/lib/");
  };
  return is_in_system(frame.file) || is_in_system(frame.module) ||
         frame.file.find("/bits/") != std::string::npos;
}

std::string short_name(const std::string& function) {
  const std::size_t arguments = function.find('(');
  return arguments == std::string::npos || arguments == 0 ? function
                                                          : function.substr(0, arguments) + "()";
}

Place place_of(const analysis::Frame& frame) {
  return {text::printable(short_name(frame.function)),
          text::printable(frame.file.substr(frame.file.rfind('/') + 1)), frame.line};
}

}  // namespace

std::string Place::text() const {
  if (!file.empty()) return fmt::format("{}:{}", file, line);
  return function.empty() ? "?" : function;
}

Names::Names(const Execution& execution) : execution_(execution), symbols_(modules(execution)) {}

std::string Names::thread(unsigned id) const {
  if (id == 0) return "main";
  if (id < execution_.threads.size() && execution_.threads[id].name[0] != 0) {
    return fmt::format("T{} {}", id, text::printable(execution_.threads[id].name));
  }
  return fmt::format("T{}", id);
}

std::string Names::object(Op op, std::uint64_t address, std::uint32_t number) {
  if (address == 0) return {};
  if (op == Op::join || op == Op::created || op == Op::thread_end) return {};
  const std::string name = text::printable(symbols_.variable(address));
  return !name.empty() ? name : fmt::format("{} #{}", noun(op), number);
}

Place Names::place(const std::vector<std::uint64_t>& stack, std::uint64_t pc) {
  std::vector<std::uint64_t> all = stack;
  if (all.empty() && pc != 0) all.push_back(pc);
  Place first;
  for (const std::uint64_t address : all) {
    for (const analysis::Frame& each : symbols_.frames(address)) {
      if (first.function.empty()) first = place_of(each);
      if (!each.file.empty() && !is_system(each)) return place_of(each);
    }
  }
  return first;
}

std::vector<Place> Names::frames(const std::vector<std::uint64_t>& stack) {
  std::vector<Place> places;
  for (const std::uint64_t address : stack) {
    for (const analysis::Frame& each : symbols_.frames(address)) {
      if (!is_system(each) && !each.file.empty()) places.push_back(place_of(each));
    }
  }
  return places;
}

}  // namespace thrum::explore
