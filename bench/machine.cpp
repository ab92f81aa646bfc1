// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "machine.h"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

#include "bench_build.h"
#include "harness.h"
#include "peers/foreign.h"

namespace bench {
namespace {

std::string cpu_model(const utsname& system) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return system.machine;
}

std::string join(const std::string& some, const std::string& more) {
  return some.empty() || more.empty() ? some + more : some + ", " + more;
}

}  // namespace

Machine Machine::here() {
  utsname system{};
  (void)uname(&system);
  double load = 0;
  (void)getloadavg(&load, 1);
  return {
      .cpu = cpu_model(system),
      .cores = cpu_count(),
      .kernel = fmt::format("{} {}", system.sysname, system.release),
#ifdef __clang__
      .compiler = fmt::format("clang {}.{}", __clang_major__, __clang_minor__),
#else
      .compiler = fmt::format("gcc {}.{}", __GNUC__, __GNUC_MINOR__),
#endif
      .libraries = fmt::format("libstdc++ {}, glibc {}", _GLIBCXX_RELEASE, gnu_get_libc_version()),
      .build = kBuildType,
      .flags = kBuildFlags,
      .waist = kWaist,
      .peers = kPeers,
      .missing = join(kMissingPeers, missing_languages()),
      .commit = kCommit,
      .load = load,
  };
}

std::string Machine::line() const {
  return fmt::format("{}, {} cores · {} · {}, {} · {}{} · {}", cpu, cores, kernel, compiler,
                     libraries, build, waist == "linux" ? "" : ", " + waist + " waist", commit);
}

std::string Machine::short_name() const {
  std::string name;
  for (const char c : cpu + '_' + compiler) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (plain) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  return name;
}

std::string unfit() {
#ifndef __OPTIMIZE__
  return "this build is not optimised";
#endif
  for (const char* const instrumented : {"-fsanitize", "--coverage", "-pg"}) {
    if (std::strstr(kBuildFlags, instrumented) != nullptr) {
      return fmt::format("this build is instrumented ({})", instrumented);
    }
  }
  const char* const preload = std::getenv("LD_PRELOAD");
  if (preload != nullptr && std::strstr(preload, "vgpreload") != nullptr) {
    return "it runs under valgrind";
  }
  return {};
}

}  // namespace bench
