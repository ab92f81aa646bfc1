// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <vector>

#include "analysis/symbols.h"

namespace thrum::analysis {
namespace {

constexpr std::string_view kOpens = "<({[", kCloses = ">)}]";

// The name without the type that the function of a template has in front of it.
std::string name_in(std::string_view function) {
  std::string name = short_name(function);
  int depth = 0;
  for (std::size_t i = name.size(); i-- > 0;) {
    if (kCloses.find(name[i]) != std::string_view::npos) ++depth;
    if (kOpens.find(name[i]) != std::string_view::npos) --depth;
    if (name[i] == ' ' && depth == 0) return name.substr(i + 1);
  }
  return name;
}

// This project's own library, whose waits the reader wants to see in his code: its headers, what
// they call, and the door to the observer. Its tools are programs like others.
bool is_this_project(const Frame& frame) {
  const auto in = [&](std::string_view part) { return frame.file.find(part) != std::string::npos; };
  if (in("include/thrum/") || in("src/waist/observed.cpp") || in("src/waist/wait.cpp")) return true;
  return name_in(frame.function).starts_with("thrum::") &&
         (frame.file.empty() || in("src/threading/") || in("src/waist/"));
}

// What a thread was made to run, as `main::{lambda()#1}`, of the function of a library that calls
// it: where nobody kept what was inlined, the user's code is in that function. Empty of others, and
// of a function that is called by its address, which has a frame of its own.
std::string_view callable_of(std::string_view function) {
  static constexpr std::array<std::string_view, 2> kCallers{"thrum::Thread::Bound<",
                                                            "std::thread::_Invoker<std::tuple<"};
  std::size_t begin = std::string_view::npos;
  for (const std::string_view caller : kCallers) {
    const std::size_t found = function.rfind(caller);
    if (found == std::string_view::npos) continue;
    if (begin == std::string_view::npos || found + caller.size() > begin)
      begin = found + caller.size();
  }
  if (begin == std::string_view::npos) return {};
  int depth = 0;
  std::size_t end = begin;
  for (; end < function.size(); ++end) {
    const char c = function[end];
    if (depth == 0 && (c == '>' || c == ',')) break;
    depth += kOpens.find(c) != std::string_view::npos;
    depth -= kCloses.find(c) != std::string_view::npos;
  }
  const std::string_view callable = function.substr(begin, end - begin);
  return callable.find('*') == std::string_view::npos ? callable : std::string_view{};
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
  if (frame.file.empty() && !callable_of(frame.function).empty()) return false;
  if (is_this_project(frame)) return true;
  return std::ranges::any_of(kModules, [&](auto name) { return module.starts_with(name); }) ||
         std::ranges::any_of(
             kFiles, [&](auto part) { return frame.file.find(part) != std::string::npos; }) ||
         std::ranges::any_of(kFunctions, [function = name_in(frame.function)](auto name) {
           return function.starts_with(name);
         });
}

// The words of a name like MutexLock, mutex_lock or QReadWriteLock, in lower case.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  char last = '_';
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool is_upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    const bool before_lower =
        i + 1 < name.size() && std::islower(static_cast<unsigned char>(name[i + 1])) != 0;
    const bool begins =
        last == '_' ||
        (is_upper && (before_lower || !std::isupper(static_cast<unsigned char>(last))));
    if (c != '_' && begins) words.emplace_back();
    if (c != '_') words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    last = c;
  }
  return words;
}

// Many programs put the lock of the system into a class or function of their own, which all of
// their code waits in: the place that tells something is behind it. By its class and what it does,
// as leveldb::port::Mutex::Lock, or if it is nothing but that, as uv_mutex_lock. A method that does
// something else is a place, whatever its class is called: BankLock::transfer.
bool is_wrapper(const Frame& frame) {
  static constexpr std::array<std::string_view, 12> kClasses{
      "mutex",     "lock", "locker",  "rwlock",    "spinlock", "cond",
      "condition", "var",  "condvar", "semaphore", "guard",    "monitor"};
  static constexpr std::array<std::string_view, 9> kLocks{
      "mutex", "lock", "rwlock", "spinlock", "cond", "condition", "semaphore", "sem", "trylock"};
  static constexpr std::array<std::string_view, 12> kVerbs{
      "var",       "acquire", "enter", "wait",   "timed", "timedwait",
      "exclusive", "read",    "write", "shared", "for",   "try"};
  // What a method of such a class begins with; what follows may say how.
  static constexpr std::array<std::string_view, 22> kBegin{
      "lock",  "acquire",   "wait",   "enter",   "take",   "try",    "relock", "block",
      "down",  "until",     "read",   "write",   "reader", "writer", "shared", "exclusive",
      "timed", "timedwait", "unlock", "release", "signal", "notify"};
  const auto is_in = [](const auto& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
  };
  // Without template arguments: of their words none is the class's.
  std::string name;
  int depth = 0;
  for (const char c : name_in(frame.function)) {
    depth -= kCloses.find(c) != std::string_view::npos;
    if (depth == 0 && kCloses.find(c) == std::string_view::npos &&
        kOpens.find(c) == std::string_view::npos) {
      name += c;
    }
    depth += kOpens.find(c) != std::string_view::npos;
  }
  const std::size_t colons = name.rfind("::");
  if (colons != std::string::npos) {
    const std::size_t before = name.rfind("::", colons - 1);
    const std::size_t begin = before == std::string::npos || colons == 0 ? 0 : before + 2;
    const std::string_view its_class = std::string_view(name).substr(begin, colons - begin);
    const std::string_view method = std::string_view(name).substr(colons + 2);
    const auto words = words_of(its_class), does = words_of(method);
    if (words.empty() || !is_in(kClasses, words.back())) return false;
    return method == its_class || (!does.empty() && is_in(kBegin, does.front()));
  }
  const auto words = words_of(name);
  const auto is_lock = [&](const std::string& word) { return is_in(kLocks, word); };
  const auto is_known = [&](const std::string& word) {
    return is_lock(word) || is_in(kVerbs, word);
  };
  // The first may say whose it is.
  return !words.empty() && std::ranges::any_of(words, is_lock) && is_known(words.back()) &&
         std::all_of(words.begin() + 1, words.end(), is_known);
}

}  // namespace

const Frame* here(std::span<const Frame> frames) {
  const Frame* nearest = nullptr;
  for (const Frame& frame : frames) {
    if (is_library(frame)) continue;
    if (!is_wrapper(frame)) return &frame;
    if (nearest == nullptr) nearest = &frame;
  }
  if (nearest != nullptr) return nearest;
  return frames.empty() ? nullptr : frames.data();
}

const Frame* caller(std::span<const Frame> frames, const Frame& here) {
  const auto is_elsewhere = [&here](const Frame& frame) {
    const bool by_file = !frame.file.empty() && !here.file.empty();
    return by_file ? frame.file != here.file : frame.module != here.module;
  };
  bool is_behind = false;
  for (const Frame& frame : frames) {
    if (is_behind && is_elsewhere(frame) && !is_library(frame) && !is_wrapper(frame)) return &frame;
    is_behind = is_behind || &frame == &here;
  }
  return nullptr;
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
  if (const std::string_view callable = callable_of(frame.function);
      !callable.empty() && frame.file.empty()) {
    return module.empty() ? std::string(callable) : fmt::format("{} ({})", callable, module);
  }
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
