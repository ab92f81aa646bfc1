// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "analysis/symbols.h"

namespace thrum::analysis {
namespace {

// This project's own library, whose waits the reader wants to see in his code: its headers, what
// they call, and the door to the observer. Its tools are programs like others.
bool is_this_project(const Frame& frame) {
  const auto in = [&](std::string_view part) { return frame.file.find(part) != std::string::npos; };
  if (in("include/thrum/") || in("src/waist/observed.cpp") || in("src/waist/wait.cpp")) return true;
  const bool has_its_name = frame.function.starts_with("thrum::") ||
                            frame.function.find(" thrum::") < frame.function.find('(');
  return has_its_name && (frame.file.empty() || in("src/threading/") || in("src/waist/"));
}

bool is_library(const Frame& frame) {
  static constexpr std::array<std::string_view, 6> kModules{
      "libc.so", "libpthread.so", "libstdc++.so", "libthrum_watch.so", "ld-linux", "libc++.so"};
  static constexpr std::array<std::string_view, 4> kFiles{"/include/c++/", "/include/x86_64-",
                                                          "/usr/include/", "/bits/"};
  // The last ones are of a libc that is linked into the program.
  static constexpr std::array<std::string_view, 8> kFunctions{
      "std::",  "__gthread_", "__gnu_cxx::", "std::__",
      "__lll_", "__futex_",   "__pthread_",  "pthread_"};
  const std::string_view module =
      std::string_view(frame.module).substr(frame.module.rfind('/') + 1);
  if (is_this_project(frame)) return true;
  return std::ranges::any_of(kModules, [&](auto name) { return module.starts_with(name); }) ||
         std::ranges::any_of(
             kFiles, [&](auto part) { return frame.file.find(part) != std::string::npos; }) ||
         std::ranges::any_of(kFunctions, [&](auto name) {
           return frame.function.starts_with(name) ||
                  frame.function.find(fmt::format(" {}", name)) < frame.function.find('(');
         });
}

}  // namespace

const Frame* here(std::span<const Frame> frames) {
  const auto found = std::ranges::find_if_not(frames, is_library);
  if (found != frames.end()) return &*found;
  return frames.empty() ? nullptr : frames.data();
}

std::string short_name(std::string_view function) {
  // The parameters begin at the last parenthesis that opens at no depth; operator() has its own.
  int depth = 0;
  std::size_t end = function.size();
  for (std::size_t i = function.size(); i-- > 0;) {
    if (function[i] == ')') ++depth;
    if (function[i] == '(' && --depth == 0) {
      end = i;
      break;
    }
  }
  std::string name(function.substr(0, end));
  if (name.ends_with("operator")) name += "()";
  if (name.empty()) name = function;
  return name;
}

std::string text_of(const Frame& frame) {
  const std::string file = frame.file.substr(frame.file.rfind('/') + 1);
  const std::string module = frame.module.substr(frame.module.rfind('/') + 1);
  if (frame.line != 0 && !file.empty()) {
    return fmt::format("{} ({}:{})", short_name(frame.function), file, frame.line);
  }
  return module.empty() ? short_name(frame.function)
                        : fmt::format("{} ({})", short_name(frame.function), module);
}

std::string_view name_of(trace::Kind kind) {
  using trace::Kind;
  switch (kind) {
    case Kind::mutex:
      return "mutex";
    case Kind::read_lock:
      return "read lock";
    case Kind::write_lock:
      return "write lock";
    case Kind::condition:
      return "condition";
    case Kind::semaphore:
      return "semaphore";
    case Kind::barrier:
      return "barrier";
    case Kind::once:
      return "once";
    case Kind::join:
      return "thread";
    case Kind::futex:
      return "futex";
    case Kind::sleep:
      return "sleep";
    case Kind::call:
      return "system call";
    case Kind::lock:
      return "lock";
    case Kind::event:
      return "event";
    case Kind::queue_get:
    case Kind::queue_put:
    case Kind::queue_join:
      return "queue";
    case Kind::group:
      return "group";
    case Kind::timer:
      return "timer";
    case Kind::none:
      break;
  }
  return "something";
}

std::string_view verb_of(trace::Kind kind) {
  using trace::Kind;
  switch (kind) {
    case Kind::queue_get:
      return " (get)";
    case Kind::queue_put:
      return " (put)";
    case Kind::queue_join:
      return " (join)";
    default:
      return "";
  }
}

std::string text_of_end(const Thread& thread) {
  using trace::End;
  switch (thread.end) {
    case End::alive:
      return "still running";
    case End::returned:
      return "returned";
    case End::exited:
      return "pthread_exit";
    case End::cancelled:
      return "cancelled";
    case End::aborted:
      return thread.text.empty() ? "abort()"
                                 : fmt::format("uncaught {}", demangled_type(thread.text));
    case End::signalled: {
      const char* const name = sigabbrev_np(static_cast<int>(thread.end_detail & 0x7f));
      return fmt::format("SIG{}", name != nullptr ? name : "?");
    }
    case End::process:
      return "with the process";
    case End::exec:
      return "exec";
    case End::unseen:
      return "ended";
  }
  return "?";
}

}  // namespace thrum::analysis
