// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "check/raw.h"

#include <sys/mman.h>

namespace thrum::check {
namespace {

constexpr std::uint32_t kMostOwned = 256;
constinit Owned ranges[kMostOwned]{};
constinit std::uint32_t count = 0;

char* map(std::size_t bytes, const char* what, void* at) noexcept {
  const int flags =
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at != nullptr ? MAP_FIXED_NOREPLACE : 0);
  const long result = raw_syscall(SYS_mmap, as_long(at), static_cast<long>(bytes),
                                  PROT_READ | PROT_WRITE, flags, -1, 0);
  if (result < 0) {
    char text[128];
    Line(text, sizeof text).add("no memory for ").add(what);
    die(text);
  }
  return reinterpret_cast<char*>(result);
}

}  // namespace

void own(char* begin, std::size_t bytes) noexcept {
  if (count == kMostOwned) die("too many mappings");
  ranges[count++] = {begin, begin + bytes};
}
Owned owned(std::uint32_t index) noexcept { return ranges[index]; }
std::uint32_t owned_count() noexcept { return count; }

void die(const char* what) noexcept {
  char text[256];
  Line(text, sizeof text).add("thrum check: in the program: ").add(what).add("\n");
  std::size_t length = 0;
  while (text[length] != 0) ++length;
  raw_syscall(SYS_write, 2, as_long(text), static_cast<long>(length));
  raw_syscall(SYS_exit_group, 3);
  __builtin_unreachable();
}

void* map_restored_memory(std::size_t bytes, const char* what) noexcept {
  return map(bytes, what, nullptr);
}

void* map_memory(std::size_t bytes, const char* what, void* at) noexcept {
  char* const memory = map(bytes, what, at);
  own(memory, bytes);
  return memory;
}

}  // namespace thrum::check
