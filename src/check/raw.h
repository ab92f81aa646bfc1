// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The kernel, past every door, and what the runtime uses in place of libc: it may run inside of any
// of the program's calls.
#pragma once

#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace thrum::check {

/// Returns what the kernel says: negative errors, no errno.
inline long raw_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                        long f = 0) noexcept {
  long result = number;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

template <class T>
long as_long(T* pointer) noexcept {
  return static_cast<long>(reinterpret_cast<std::uintptr_t>(pointer));
}

/// Returns fresh zeroed memory of the runtime; ends the process if there is none.
void* map_memory(std::size_t bytes, const char* what, void* at = nullptr) noexcept;
/// The same, but put back after each execution, as the program's memory is.
void* map_restored_memory(std::size_t bytes, const char* what) noexcept;

/// Memory of the runtime: not the program's.
struct Owned {
  char* begin;
  char* end;
};
void own(char* begin, std::size_t bytes) noexcept;
Owned owned(std::uint32_t index) noexcept;
std::uint32_t owned_count() noexcept;

/// Writes a line to standard error and ends the process with status 3.
[[noreturn]] void die(const char* what) noexcept;

/// A piece of text being put together in a fixed buffer; what does not fit is cut.
class Line {
 public:
  Line(char* buffer, std::size_t size) noexcept : at_(buffer), end_(buffer + size - 1) { *at_ = 0; }
  Line& add(const char* text) noexcept {
    while (text != nullptr && *text != 0 && at_ < end_) *at_++ = *text++;
    *at_ = 0;
    return *this;
  }
  Line& add(std::uint64_t number) noexcept {
    char digits[21];
    char* first = digits + 20;
    *first = 0;
    do {
      *--first = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return add(first);
  }

 private:
  char* at_;
  char* end_;
};

inline void copy_text(char* to, std::size_t size, const char* from) noexcept {
  Line(to, size).add(from);
}

}  // namespace thrum::check
