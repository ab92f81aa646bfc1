// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The functions of <string.h> that read and write memory: when code compiled with -fsanitize=thread
// calls one, what it does to memory is looked at as if it were in the program. Compilers rely on
// that: for a structure that is copied they too emit a call of memcpy.
#include <dlfcn.h>

#include <cstddef>

#include "check/doors.h"
#include "check/modules.h"

namespace thrum::check {
namespace {

using Bytes = const unsigned char*;

bool sees(Pc caller) noexcept { return engine.on && engine.started && is_instrumented(caller); }

// libc's own. To look one up calls none of them by its public name.
#define THRUM_REAL(name, result, ...)                                                     \
  using Real_##name = result (*)(__VA_ARGS__);                                            \
  Real_##name real_##name() noexcept {                                                    \
    static constinit Real_##name known = nullptr;                                         \
    if (known == nullptr) known = reinterpret_cast<Real_##name>(dlsym(RTLD_NEXT, #name)); \
    return known;                                                                         \
  }
THRUM_REAL(memcpy, void*, void*, const void*, std::size_t)
THRUM_REAL(memmove, void*, void*, const void*, std::size_t)
THRUM_REAL(memset, void*, void*, int, std::size_t)
THRUM_REAL(memcmp, int, const void*, const void*, std::size_t)
THRUM_REAL(memchr, void*, const void*, int, std::size_t)
THRUM_REAL(strlen, std::size_t, const char*)
THRUM_REAL(strcmp, int, const char*, const char*)
THRUM_REAL(strncmp, int, const char*, const char*, std::size_t)
THRUM_REAL(strchr, char*, const char*, int)
THRUM_REAL(strrchr, char*, const char*, int)
THRUM_REAL(strstr, char*, const char*, const char*)

std::size_t length(const char* text) noexcept { return real_strlen()(text); }
std::size_t length(const char* text, std::size_t most) noexcept {
  std::size_t n = 0;
  while (n < most && static_cast<const volatile char*>(text)[n] != 0) ++n;
  return n;
}
// How many bytes a comparison looks at: up to the first that differs, or the end of both.
std::size_t compared(const char* a, const char* b, std::size_t most) noexcept {
  std::size_t n = 0;
  while (n < most && a[n] == b[n] && a[n] != 0) ++n;
  return n < most ? n + 1 : most;
}

void read(const void* address, std::size_t size, Pc pc) noexcept {
  if (size != 0) plain_access(address, size, false, pc);
}
void write(const void* address, std::size_t size, Pc pc) noexcept {
  if (size != 0) plain_access(address, size, true, pc);
}

void* do_memcpy(void* to, const void* from, std::size_t n, Pc pc) noexcept {
  if (sees(pc)) {
    read(from, n, pc);
    write(to, n, pc);
  }
  return real_memcpy()(to, from, n);
}
void* do_memmove(void* to, const void* from, std::size_t n, Pc pc) noexcept {
  if (sees(pc)) {
    read(from, n, pc);
    write(to, n, pc);
  }
  return real_memmove()(to, from, n);
}
void* do_memset(void* to, int value, std::size_t n, Pc pc) noexcept {
  if (sees(pc)) write(to, n, pc);
  return real_memset()(to, value, n);
}
char* do_strcpy(char* to, const char* from, Pc pc) noexcept {
  return static_cast<char*>(do_memcpy(to, from, length(from) + 1, pc));
}
char* do_strncpy(char* to, const char* from, std::size_t n, Pc pc) noexcept {
  const std::size_t used = length(from, n);
  if (sees(pc)) {
    read(from, used < n ? used + 1 : n, pc);
    write(to, n, pc);
  }
  do_memcpy(to, from, used, 0);
  do_memset(to + used, 0, n - used, 0);
  return to;
}
char* do_strcat(char* to, const char* from, std::size_t most, Pc pc) noexcept {
  const std::size_t before = length(to);
  const std::size_t n = most == SIZE_MAX ? length(from) : length(from, most);
  if (sees(pc)) {
    read(to, before + 1, pc);
    read(from, n < most ? n + 1 : n, pc);
    write(to + before, n + 1, pc);
  }
  do_memcpy(to + before, from, n, 0);
  to[before + n] = 0;
  return to;
}

}  // namespace

THRUM_DOOR(void*, memcpy, void* to, const void* from, std::size_t n) {
  return do_memcpy(to, from, n, THRUM_CALLER());
}
THRUM_DOOR(void*, memmove, void* to, const void* from, std::size_t n) {
  return do_memmove(to, from, n, THRUM_CALLER());
}
THRUM_DOOR(void*, memset, void* to, int value, std::size_t n) {
  return do_memset(to, value, n, THRUM_CALLER());
}
// With _FORTIFY_SOURCE; that the room suffices, libc finds out.
THRUM_DOOR(void*, __memcpy_chk, void* to, const void* from, std::size_t n, std::size_t room) {
  if (n > room) __builtin_trap();
  return do_memcpy(to, from, n, THRUM_CALLER());
}
THRUM_DOOR(void*, __memmove_chk, void* to, const void* from, std::size_t n, std::size_t room) {
  if (n > room) __builtin_trap();
  return do_memmove(to, from, n, THRUM_CALLER());
}
THRUM_DOOR(void*, __memset_chk, void* to, int value, std::size_t n, std::size_t room) {
  if (n > room) __builtin_trap();
  return do_memset(to, value, n, THRUM_CALLER());
}
THRUM_DOOR(char*, __strcpy_chk, char* to, const char* from, std::size_t room) {
  if (length(from) >= room) __builtin_trap();
  return do_strcpy(to, from, THRUM_CALLER());
}

THRUM_DOOR(char*, strcpy, char* to, const char* from) {
  return do_strcpy(to, from, THRUM_CALLER());
}
THRUM_DOOR(char*, stpcpy, char* to, const char* from) {
  const std::size_t n = length(from);
  do_memcpy(to, from, n + 1, THRUM_CALLER());
  return to + n;
}
THRUM_DOOR(char*, strncpy, char* to, const char* from, std::size_t n) {
  return do_strncpy(to, from, n, THRUM_CALLER());
}
THRUM_DOOR(char*, strcat, char* to, const char* from) {
  return do_strcat(to, from, SIZE_MAX, THRUM_CALLER());
}
THRUM_DOOR(char*, strncat, char* to, const char* from, std::size_t n) {
  return do_strcat(to, from, n, THRUM_CALLER());
}
THRUM_DOOR(char*, strdup, const char* text) {
  const Pc pc = THRUM_CALLER();
  const std::size_t n = length(text) + 1;
  auto* const copy = static_cast<char*>(malloc(n));
  if (copy != nullptr) do_memcpy(copy, text, n, pc);
  return copy;
}

THRUM_DOOR(std::size_t, strlen, const char* text) {
  const std::size_t n = length(text);
  if (const Pc pc = THRUM_CALLER(); sees(pc)) read(text, n + 1, pc);
  return n;
}
THRUM_DOOR(int, memcmp, const void* a, const void* b, std::size_t n) {
  if (const Pc pc = THRUM_CALLER(); sees(pc)) {
    read(a, n, pc);
    read(b, n, pc);
  }
  return real_memcmp()(a, b, n);
}
THRUM_DOOR(int, strcmp, const char* a, const char* b) {
  if (const Pc pc = THRUM_CALLER(); sees(pc)) {
    const std::size_t n = compared(a, b, SIZE_MAX);
    read(a, n, pc);
    read(b, n, pc);
  }
  return real_strcmp()(a, b);
}
THRUM_DOOR(int, strncmp, const char* a, const char* b, std::size_t n) {
  if (const Pc pc = THRUM_CALLER(); sees(pc)) {
    const std::size_t looked = compared(a, b, n);
    read(a, looked, pc);
    read(b, looked, pc);
  }
  return real_strncmp()(a, b, n);
}
// What is searched is read up to what is found.
THRUM_DOOR(void*, memchr, const void* memory, int byte, std::size_t n) {
  void* const found = real_memchr()(memory, byte, n);
  if (const Pc pc = THRUM_CALLER(); sees(pc)) {
    read(memory,
         found != nullptr
             ? static_cast<std::size_t>(static_cast<Bytes>(found) - static_cast<Bytes>(memory)) + 1
             : n,
         pc);
  }
  return found;
}
THRUM_DOOR(char*, strchr, const char* text, int byte) {
  if (const Pc pc = THRUM_CALLER(); sees(pc)) read(text, length(text) + 1, pc);
  return real_strchr()(text, byte);
}
THRUM_DOOR(char*, strrchr, const char* text, int byte) {
  if (const Pc pc = THRUM_CALLER(); sees(pc)) read(text, length(text) + 1, pc);
  return real_strrchr()(text, byte);
}
THRUM_DOOR(char*, strstr, const char* text, const char* wanted) {
  if (const Pc pc = THRUM_CALLER(); sees(pc)) {
    read(text, length(text) + 1, pc);
    read(wanted, length(wanted) + 1, pc);
  }
  return real_strstr()(text, wanted);
}

// clang's names for three of them.
#define THRUM_HOOK extern "C" __attribute__((visibility("default")))
THRUM_HOOK void* __tsan_memcpy(void* to, const void* from, std::size_t n) {
  return do_memcpy(to, from, n, THRUM_CALLER());
}
THRUM_HOOK void* __tsan_memmove(void* to, const void* from, std::size_t n) {
  return do_memmove(to, from, n, THRUM_CALLER());
}
THRUM_HOOK void* __tsan_memset(void* to, int value, std::size_t n) {
  return do_memset(to, value, n, THRUM_CALLER());
}

}  // namespace thrum::check
