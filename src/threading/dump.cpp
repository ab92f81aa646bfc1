// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What every thread does, and who waits for whom in a circle.
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "threading/kernel.h"
#include "threading/thread_record.h"
#include "thrum/lock.h"
#include "thrum/semaphore.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;

const char* text_of(Waitable kind) noexcept {
  switch (kind) {
    case Waitable::nothing:
      return "a system call";
    case Waitable::word:
      return "a word";
    case Waitable::lock:
      return "a lock";
    case Waitable::rlock:
      return "an rlock";
    case Waitable::semaphore:
      return "a semaphore";
    case Waitable::event:
      return "an event";
    case Waitable::condition:
      return "a condition";
    case Waitable::barrier:
      return "a barrier";
    case Waitable::queue_get:
      return "a queue (get)";
    case Waitable::queue_put:
      return "a queue (put)";
    case Waitable::queue_join:
      return "a queue (join)";
    case Waitable::thread:
      return "a thread (join)";
    case Waitable::group:
      return "a group (join)";
    case Waitable::timer:
      return "a timer";
  }
  return "something";
}

std::string hex(const void* address) {
  char text[2 * sizeof address + 3];
  std::snprintf(text, sizeof text, "%p", address);
  return text;
}

std::string object_text(const WaitingFor& what) {
  std::string text = text_of(what.kind);
  if (what.kind == Waitable::nothing) return text;
  if (const std::string name = kernel::peek_text(what.name); !name.empty()) {
    text += " \"" + name + "\"";
  }
  return text + " at " + hex(what.object);
}

// Three digits, in the unit that suits.
std::string time_since(std::int64_t since_ns) {
  const auto ns = static_cast<double>(Deadline::now_ns() - since_ns);
  char text[32];
  if (ns < 999.5e3) {
    std::snprintf(text, sizeof text, "%.3g us", ns / 1e3);
  } else if (ns < 999.5e6) {
    std::snprintf(text, sizeof text, "%.3g ms", ns / 1e6);
  } else {
    std::snprintf(text, sizeof text, ns < 999.5e9 ? "%.3g s" : "%.0f s", ns / 1e9);
  }
  return text;
}

// One thread as dump() sees it; copied, so that nothing is held while it is printed.
struct Seen {
  std::uint32_t native_id = 0;
  std::uint64_t ident = 0;
  std::string name;
  bool daemon = false;
  bool ours = false;  // has a record
  WaitingFor blocked_on{};
  std::uint32_t waits_for = 0;  // native id of the thread that must act first, 0 if unknown
  std::string waits_for_name;
};

// The thread that must act before this one can go on. (registry)
std::uint32_t successor(const WaitingFor& what) {
  if (what.kind == Waitable::lock || what.kind == Waitable::rlock) {
    // The lock may be gone: its waiter woke up since we looked.
    return Lock::holder_of(kernel::peek(what.object).value_or(0));
  }
  if (what.kind == Waitable::thread) {
    for (ThreadRecord* record = ThreadRecord::first(); record != nullptr; record = record->next) {
      if (record == what.object) {
        const std::uint32_t id = record->native_id.load(std::memory_order_relaxed);
        return id != ThreadRecord::kAwaited ? id : 0;
      }
    }
  }
  return 0;
}

std::vector<Seen> look() {
  std::vector<Seen> threads;
  const waist::Registry registry(Deadline(1s));  // a debugger may have stopped its holder
  for (const waist::Node* node = registry.first(); node != nullptr; node = node->next) {
    Seen seen;
    seen.native_id = node->native_id;
    seen.ident = node->ident;
    seen.blocked_on = waist::blocked_on(*node);
    seen.waits_for = successor(seen.blocked_on);
    // relaxed: the registry's lock was held since it was written
    if (const auto* record =
            static_cast<const ThreadRecord*>(node->owner.load(std::memory_order_relaxed))) {
      seen.ours = true;
      seen.name = record->name();
      seen.daemon = record->daemon.load(std::memory_order_relaxed);
    }
    threads.push_back(std::move(seen));
  }
  for (const std::uint32_t id : kernel::all_threads()) {
    const auto known = [id](const Seen& seen) { return seen.native_id == id; };
    if (std::none_of(threads.begin(), threads.end(), known)) {
      threads.emplace_back().native_id = id;
    }
  }
  for (Seen& seen : threads) {
    if (!seen.ours) seen.name = kernel::name_of(seen.native_id);
  }
  std::sort(threads.begin(), threads.end(),
            [](const Seen& a, const Seen& b) { return a.native_id < b.native_id; });
  for (Seen& seen : threads) {
    const auto holder = std::find_if(threads.begin(), threads.end(), [&](const Seen& other) {
      return other.native_id == seen.waits_for;
    });
    if (seen.waits_for != 0) {
      seen.waits_for_name = holder != threads.end() ? "\"" + holder->name + "\"" : "a dead thread";
    }
  }
  return threads;
}

std::string line_of(const Seen& seen) {
  std::string text = "  \"" + seen.name + "\"";
  if (!seen.ours) text += seen.ident != 0 ? " (not ours)" : " (not ours, or at its start or end)";
  if (seen.daemon && seen.ours) text += " (daemon)";
  if (seen.ident != 0) text += ", ident " + std::to_string(seen.ident);
  text += ", native id " + std::to_string(seen.native_id) + ": ";
  Life life =
      kernel::life_of(seen.native_id)
          .value_or(seen.blocked_on.kind == Waitable::nothing ? Life::running : Life::blocked);
  if (seen.native_id == self().native_id) life = Life::running;
  text += ThreadState{life, life == Life::blocked ? seen.blocked_on : WaitingFor{}}.text();
  if (life == Life::blocked && seen.waits_for != 0) {
    text += seen.blocked_on.kind == Waitable::thread ? ", which is " : ", held by ";
    text += seen.waits_for_name + " (native id " + std::to_string(seen.waits_for) + ")";
  }
  return text + '\n';
}

// The cycles in "waits for", each from its lowest native id. Every thread waits for one at most, so
// following the arrows finds them all.
std::vector<std::vector<std::size_t>> cycles(const std::vector<Seen>& threads) {
  std::vector<std::vector<std::size_t>> found;
  for (std::size_t start = 0; start < threads.size(); ++start) {
    std::vector<std::size_t> path{start};
    for (;;) {
      const Seen& last = threads[path.back()];
      const auto next = std::find_if(threads.begin(), threads.end(), [&](const Seen& seen) {
        return last.waits_for != 0 && seen.native_id == last.waits_for;
      });
      if (next == threads.end()) break;
      const auto at = static_cast<std::size_t>(next - threads.begin());
      if (at == start) {
        found.push_back(path);
        break;
      }
      if (at < start || std::find(path.begin(), path.end(), at) != path.end()) break;
      path.push_back(at);
    }
  }
  return found;
}

bool same_wait(const Seen& a, const Seen& b) {
  return a.native_id == b.native_id && a.waits_for == b.waits_for &&
         a.blocked_on.object == b.blocked_on.object &&
         a.blocked_on.since_ns == b.blocked_on.since_ns;
}

// Reading many threads takes a while, so one look could see a cycle that never was. If every
// thread of it waits since the same moment in a second look, all waited in between.
std::string deadlocks(const std::vector<Seen>& threads) {
  const std::vector<std::vector<std::size_t>> found = cycles(threads);
  if (found.empty()) return {};
  const std::vector<Seen> again = look();
  std::string text;
  for (const auto& cycle : found) {
    const bool lasts = std::all_of(cycle.begin(), cycle.end(), [&](std::size_t at) {
      return std::any_of(again.begin(), again.end(),
                         [&](const Seen& seen) { return same_wait(seen, threads[at]); });
    });
    if (!lasts) continue;
    text += "deadlock, a cycle of " + std::to_string(cycle.size()) + ":\n";
    for (const std::size_t at : cycle) {
      const Seen& seen = threads[at];
      text += "  \"" + seen.name + "\" waits for " + object_text(seen.blocked_on) +
              (seen.blocked_on.kind == Waitable::thread ? ", which is " : ", held by ") +
              seen.waits_for_name + '\n';
    }
  }
  return text;
}

constinit Semaphore dumps_wanted(0);

void on_signal(int) {
  const int saved = errno;
  dumps_wanted.release();
  errno = saved;
}

}  // namespace

std::string ThreadState::text() const {
  switch (life) {
    case Life::new_:
      return "new";
    case Life::ready:
      return "ready";
    case Life::running:
      return "running";
    case Life::blocked:
      return "blocked on " + object_text(blocked_on) +
             (blocked_on.kind == Waitable::nothing ? ""
                                                   : ", for " + time_since(blocked_on.since_ns));
    case Life::terminated:
      break;
  }
  switch (end) {
    case End::alive:
    case End::returned:
      return "terminated, returned";
    case End::threw:
      return "terminated, threw an exception";
    case End::exited:
      return "terminated, exited";
    case End::forked:
      break;
  }
  return "terminated, lives in the parent of this fork";
}

std::string ThreadHandle::text() const {
  std::string text = '"' + name() + '"';
  text += daemon() ? " (daemon), ident " : ", ident ";
  text += std::to_string(ident()) + ", native id " + std::to_string(native_id()) + ": ";
  return text + state().text();
}

std::string dump_text() {
  // So that it has its name; unless a debugger stopped who holds the list.
  if (waist::Registry(Deadline(1s)).held()) (void)main_thread();
  const std::vector<Seen> threads = look();
  std::string text = "thrum: process " + std::to_string(::getpid()) + ", " +
                     std::to_string(threads.size()) +
                     (threads.size() == 1 ? " thread\n" : " threads\n");
  for (const Seen& seen : threads) text += line_of(seen);
  return text + deadlocks(threads);
}

void dump() noexcept {
  try {
    const std::string text = dump_text();
    for (std::size_t written = 0; written < text.size();) {
      const ssize_t n = ::write(STDERR_FILENO, text.data() + written, text.size() - written);
      if (n < 0 && errno != EINTR) return;
      if (n > 0) written += static_cast<std::size_t>(n);
    }
  } catch (...) {
    (void)!::write(STDERR_FILENO, "thrum: no memory for a dump\n", 28);
  }
}

void dump_on_signal(int signal) {
  static Lock starting;
  static constinit Thread* printer = nullptr;  // never destroyed: it prints until the end
  {
    const Guard guard(starting);
    if (printer == nullptr || !printer->is_alive()) {  // never made, or lost in a fork
      auto made = std::make_unique<Thread>(ThreadOptions{.name = "thrum-dump", .daemon = true}, [] {
        sigset_t all;  // the program's handlers run in the program's threads
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
        for (;;) {
          dumps_wanted.acquire();
          dump();
        }
      });
      made->start();
      printer = made.release();
    }
  }
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  if (::sigaction(signal, &action, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "thrum::threading::dump_on_signal: signal " + std::to_string(signal));
  }
}

}  // namespace thrum

void thrum_dump() { thrum::dump(); }
