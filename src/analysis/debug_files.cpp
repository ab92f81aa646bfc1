// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/debug_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace thrum::analysis {
namespace {

// The sum that a program has of its debug file is zlib's.
bool has_sum(int file, GElf_Word wanted) {
  std::vector<unsigned char> bytes(1u << 16);
  uLong sum = crc32(0, nullptr, 0);
  ssize_t n = 0;
  for (off_t at = 0; (n = pread(file, bytes.data(), bytes.size(), at)) > 0; at += n)
    sum = crc32(sum, bytes.data(), static_cast<uInt>(n));
  return n == 0 && sum == wanted;
}

}  // namespace

int open_regular(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat status{};
  if (file >= 0 && (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))) {
    close(file);
    return -1;
  }
  return file;
}

int find_debug_file(Dwfl_Module* module, void** user, const char* name, Dwarf_Addr base,
                    const char* file, const char* link, GElf_Word crc, char** found) {
  const char* const servers = std::getenv("DEBUGINFOD_URLS");
  if (servers != nullptr && *servers != '\0')
    return dwfl_standard_find_debuginfo(module, user, name, base, file, link, crc, found);
  if (const int by_id =
          dwfl_build_id_find_debuginfo(module, user, name, base, file, link, crc, found);
      by_id >= 0) {
    return by_id;
  }
  // Where gdb's manual says that a file of that name is looked for.
  if (file == nullptr || link == nullptr || std::strchr(link, '/') != nullptr) return -1;
  const std::string_view path = file;
  const std::string folder(path.substr(0, path.rfind('/') + 1));
  for (const std::string& place : {folder, folder + ".debug/", "/usr/lib/debug" + folder}) {
    const int candidate = open_regular(place + link);
    if (candidate >= 0 && has_sum(candidate, crc)) {
      *found = strdup((place + link).c_str());
      return candidate;
    }
    if (candidate >= 0) close(candidate);
  }
  return -1;
}

}  // namespace thrum::analysis
