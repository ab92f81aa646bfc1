// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "peers/foreign.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <thread>

namespace bench {
namespace {

std::filesystem::path program_of(const std::string& language) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() /
         ("thrum_bench_" + language);
}

Cost run_program(const std::string& command) {
  std::FILE* const output = popen(command.c_str(), "r");
  require(output != nullptr, command);
  Cost cost;
  const int read = std::fscanf(output, "%lf %lf %lf", &cost.wall_ns, &cost.cpu_ns, &cost.sleeps);
  require(pclose(output) == 0 && read == 3, command);
  return cost;
}

}  // namespace

void add_foreign(Contenders& to, const std::string& language, std::string name, std::string shape,
                 Cpus cpus) {
  const std::filesystem::path program = program_of(language);
  if (!exists(program)) return;
  to.push_back(
      {.name = std::move(name),
       .run = [cpus, command = fmt::format("'{}' {}", program.string(), shape)](std::uint64_t n) {
         Cost cost;
         std::jthread([&] {
           run_on(cpus, 0);  // the program inherits that
           cost = run_program(fmt::format("{} {}", command, n));
         }).join();
         return cost;
       }});
}

std::string missing_languages() {
  std::string missing;
  for (const std::string language : {"rust", "go"}) {
    if (!exists(program_of(language))) missing += (missing.empty() ? "" : ", ") + language;
  }
  return missing;
}

}  // namespace bench
