// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/report.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstring>

#include "analysis/symbols.h"
#include "text/terminal.h"

namespace thrum::explore {
namespace {

using check::Event;
using check::Op;

constexpr std::size_t kNarrowest = 24;  // a column; below, threads stand one below the other
constexpr std::size_t kLongRun = 10;    // steps of one thread in a row, before they are cut short
constexpr std::size_t kEdge = 3;        // of those, how many are shown at both ends

std::string_view verb(Op op) {
  switch (op) {
    case Op::start:
      return "begins";
    case Op::read:
      return "reads";
    case Op::write:
      return "writes";
    case Op::atomic_load:
      return "loads";
    case Op::atomic_store:
      return "stores";
    case Op::atomic_rmw:
      return "updates";
    case Op::fence:
      return "fence";
    case Op::lock:
    case Op::spin_lock:
      return "locks";
    case Op::trylock:
      return "tries";
    case Op::unlock:
    case Op::rw_unlock:
      return "unlocks";
    case Op::relock:
      return "woken, locks again:";
    case Op::read_lock:
      return "locks to read";
    case Op::write_lock:
      return "locks to write";
    case Op::condition_wait:
      return "waits on";
    case Op::condition_blocked:
    case Op::futex_blocked:
    case Op::barrier_blocked:
    case Op::once_blocked:
      return "goes on after";
    case Op::signal:
      return "notifies one of";
    case Op::broadcast:
      return "notifies all of";
    case Op::create:
      return "starts a thread";
    case Op::created:
      return "has started it";
    case Op::join:
      return "has joined";
    case Op::thread_end:
      return "ends";
    case Op::yield:
      return "yields";
    case Op::sleep:
      return "sleeps";
    case Op::semaphore_wait:
      return "acquires";
    case Op::semaphore_post:
      return "releases";
    case Op::barrier_wait:
      return "arrives at";
    case Op::futex_wait:
      return "sleeps on";
    case Op::futex_wake:
      return "wakes";
    case Op::once:
      return "initialises";
    case Op::choose:
      return "chooses";
    case Op::cancel:
      return "cancels a thread";
    case Op::process_end:
      return "ends the process";
  }
  return "";
}

std::string_view noun(Op op) {
  switch (op) {
    case Op::lock:
    case Op::trylock:
    case Op::unlock:
    case Op::relock:
      return "mutex";
    case Op::spin_lock:
      return "spin lock";
    case Op::read_lock:
    case Op::write_lock:
    case Op::rw_unlock:
      return "rwlock";
    case Op::condition_wait:
    case Op::condition_blocked:
    case Op::signal:
    case Op::broadcast:
      return "condition";
    case Op::semaphore_wait:
    case Op::semaphore_post:
      return "semaphore";
    case Op::barrier_wait:
    case Op::barrier_blocked:
      return "barrier";
    case Op::futex_wait:
    case Op::futex_blocked:
    case Op::futex_wake:
    case Op::atomic_load:
    case Op::atomic_store:
    case Op::atomic_rmw:
      return "atomic";
    case Op::once:
    case Op::once_blocked:
      return "once";
    case Op::read:
    case Op::write:
      return "variable";
    default:
      return "";
  }
}

class Names {
 public:
  explicit Names(const Execution& execution)
      : execution_(execution), symbols_(modules(execution)) {}

  std::string thread(unsigned id) const {
    if (id == 0) return "main";
    if (id < execution_.threads.size() && execution_.threads[id].name[0] != 0) {
      return fmt::format("T{} {}", id, text::printable(execution_.threads[id].name));
    }
    return fmt::format("T{}", id);
  }

  std::string object(Op op, std::uint64_t address, std::uint32_t number) {
    if (address == 0) return {};
    if (op == Op::join || op == Op::created || op == Op::thread_end) return {};
    const std::string name = symbols_.variable(address);
    return !name.empty() ? name : fmt::format("{} #{}", noun(op), number);
  }

  // The frame in the program's own sources that an address and its callers belong to.
  analysis::Frame frame(const std::vector<std::uint64_t>& stack, std::uint64_t pc) {
    analysis::Frame first;
    std::vector<std::uint64_t> all = stack;
    if (all.empty() && pc != 0) all.push_back(pc);
    for (const std::uint64_t address : all) {
      for (const analysis::Frame& each : symbols_.frames(address)) {
        if (first.function.empty()) first = each;
        if (!each.file.empty() && !is_system(each.file)) return each;
      }
    }
    return first;
  }

  std::string place(const std::vector<std::uint64_t>& stack, std::uint64_t pc) {
    const analysis::Frame found = frame(stack, pc);
    if (found.function.empty()) return "?";
    return place(found);
  }
  static std::string place(const analysis::Frame& found) {
    if (found.file.empty()) return text::printable(short_name(found.function));
    return fmt::format("{}:{}", text::printable(found.file.substr(found.file.rfind('/') + 1)),
                       found.line);
  }
  static std::string short_name(const std::string& function) {
    const std::size_t arguments = function.find('(');
    return arguments == std::string::npos || arguments == 0 ? function
                                                            : function.substr(0, arguments) + "()";
  }

  std::vector<std::string> stack_lines(const std::vector<std::uint64_t>& stack, std::size_t most) {
    std::vector<std::string> lines;
    for (const std::uint64_t address : stack) {
      for (const analysis::Frame& each : symbols_.frames(address)) {
        if (is_system(each.file) || each.file.empty()) continue;
        if (lines.size() == most) return lines;
        lines.push_back(
            fmt::format("      {} at {}", text::printable(short_name(each.function)), place(each)));
      }
    }
    return lines;
  }

 private:
  static std::vector<analysis::Module> modules(const Execution& execution) {
    std::vector<analysis::Module> all;
    for (const check::ModuleFacts& module : execution.modules) {
      analysis::Module known;
      known.path = module.path;
      known.bias = module.base;
      all.push_back(known);
    }
    return all;
  }
  static bool is_system(const std::string& file) {
    return file.starts_with("/usr/include/") || file.starts_with("/usr/lib/") ||
           file.find("/bits/") != std::string::npos || file.starts_with("../");
  }

  const Execution& execution_;
  analysis::Symbols symbols_;
};

std::string action(const Event& event, Names& names) {
  std::string line(verb(event.op));
  const std::string object = names.object(event.op, event.address, event.object);
  if (event.op == Op::join) {
    line += fmt::format(" {}", "the thread");
  } else if (!object.empty()) {
    line += " " + object;
  }
  switch (event.op) {
    case Op::read:
    case Op::atomic_load:
    case Op::atomic_store:
    case Op::atomic_rmw:
      if ((event.flags & check::kHasValue) != 0) {
        line += event.value < 1U << 20 ? fmt::format(" = {}", event.value)
                                       : fmt::format(" = {:#x}", event.value);
      }
      break;
    case Op::choose:
      line += fmt::format(" {}", event.value);
      break;
    case Op::signal:
    case Op::broadcast:
    case Op::futex_wake:
      if (event.value == 0) line += ": nobody waits";
      break;
    default:
      break;
  }
  if ((event.flags & check::kFailed) != 0) line += ": in vain";
  if ((event.flags & check::kGaveUp) != 0) line += ", time is up";
  return line;
}

std::string awaited(const check::Blocked& blocked, Names& names) {
  const std::string object = names.object(blocked.op, blocked.address, blocked.object);
  if (blocked.op == Op::join) {
    return fmt::format("joins {}, which does not end",
                       names.thread(static_cast<unsigned>(std::max<int>(0, blocked.holder))));
  }
  std::string line;
  switch (blocked.op) {
    case Op::lock:
    case Op::relock:
    case Op::read_lock:
    case Op::write_lock:
    case Op::spin_lock:
      line = fmt::format("wants {}", object);
      break;
    case Op::condition_blocked:
    case Op::futex_blocked:
    case Op::barrier_blocked:
    case Op::semaphore_wait:
      line = fmt::format("waits for {}", object);
      break;
    default:
      line = fmt::format("{} {}", verb(blocked.op), object);
  }
  if (blocked.holder == blocked.thread) {
    line += ", which it holds itself";
  } else if (blocked.holder >= 0) {
    line += fmt::format(", held by {}{}", names.thread(static_cast<unsigned>(blocked.holder)),
                        blocked.holder_ended ? ", which has ended" : "");
  }
  return line;
}

// The last step of a thread: where it is.
std::string last_place(const Execution& execution, unsigned thread, Names& names) {
  for (std::size_t i = execution.events.size(); i > 0; --i) {
    if (execution.events[i - 1].thread != thread) continue;
    return names.place(execution.stacks[i - 1], execution.events[i - 1].pc);
  }
  return "?";
}

std::string signal_name(int number) {
  const char* const text = strsignal(number);
  return text != nullptr ? text : fmt::format("signal {}", number);
}

std::string access_line(const check::Side& side, Names& names) {
  const std::string_view what = side.is_free     ? "frees"
                                : side.is_atomic ? (side.is_write ? "updates" : "loads")
                                : side.is_write  ? "writes"
                                                 : "reads";
  const std::string size = side.size != 0 && !side.is_free
                               ? fmt::format(" {} byte{}", side.size, side.size == 1 ? "" : "s")
                               : "";
  const analysis::Frame frame = names.frame({}, side.pc);
  return fmt::format("    {} {}{} at {}, in {}", names.thread(side.thread), what, size,
                     Names::place(frame), text::printable(Names::short_name(frame.function)));
}

}  // namespace

std::string_view name_of(check::Outcome outcome) {
  using enum check::Outcome;
  switch (outcome) {
    case clean:
      return "nothing";
    case assertion:
      return "assertion";
    case aborted:
      return "abort";
    case crash:
      return "crash";
    case exception:
      return "exception";
    case exit_status:
      return "exit status";
    case deadlock:
      return "deadlock";
    case lost_wakeup:
      return "lost wake-up";
    case livelock:
      return "livelock";
    case race:
      return "race";
    case use_after_free:
      return "use after free";
    case leak:
      return "leak";
    case hang:
      return "hang";
    case cut_off:
      return "cut off";
    default:
      return "?";
  }
}

std::string_view name_of(check::StrategyId strategy) {
  using enum check::StrategyId;
  switch (strategy) {
    case random:
      return "random";
    case pct:
      return "pct";
    case pos:
      return "pos";
    case urw:
      return "urw";
    case dfs:
      return "dfs";
    case replay:
      return "replay";
    default:
      return "rotation";
  }
}

std::vector<std::string> headline(const Execution& execution) {
  using enum check::Outcome;
  Names names(execution);
  const check::Result& result = execution.result;
  const std::string message = text::printable(result.message);
  const std::string who = names.thread(result.thread);
  std::vector<std::string> lines;
  const auto say = [&](const std::string& title, const std::string& rest) {
    lines.push_back(text::ink(text::kRed, text::ink(text::kBold, title)) +
                    (rest.empty() ? "" : ": " + rest));
  };
  switch (result.outcome) {
    case assertion:
      say("assertion failed", fmt::format("{}, in {}", message, who));
      break;
    case aborted:
      say("abort", who);
      break;
    case exception:
      say("uncaught exception",
          fmt::format("{} in {}", text::printable(analysis::demangled_type(result.message)), who));
      break;
    case crash:
      say("crash", fmt::format("{} in {} at {}, address {:#x}", signal_name(result.status), who,
                               names.place({}, result.pc), result.address));
      break;
    case exit_status:
      say("exit status", fmt::format("{}", result.status));
      break;
    case deadlock:
    case lost_wakeup:
    case livelock:
      say(std::string(name_of(result.outcome)),
          result.outcome == deadlock      ? "no thread can go on"
          : result.outcome == lost_wakeup ? "a thread waits for ever while the rest is done"
                                          : "the threads wait for each other without sleeping");
      for (std::uint32_t i = 0; i < result.blocked_count; ++i) {
        const check::Blocked& blocked = result.blocked[i];
        lines.push_back(fmt::format("    {} {}, at {}", names.thread(blocked.thread),
                                    awaited(blocked, names),
                                    last_place(execution, blocked.thread, names)));
      }
      break;
    case race:
      say("data race", fmt::format("nothing orders these two accesses to {}", [&] {
            const auto name = names.object(Op::read, result.race[1].address, 0);
            return name == "variable #0" ? fmt::format("{:#x}", result.race[1].address) : name;
          }()));
      lines.push_back(access_line(result.race[0], names));
      lines.push_back(access_line(result.race[1], names));
      break;
    case use_after_free:
      say("use after free", message);
      lines.push_back(access_line(result.race[0], names));
      lines.push_back(access_line(result.race[1], names));
      break;
    case leak:
      say("leak", fmt::format("{}, {}", message, names.place({}, result.pc)));
      break;
    case hang:
      say("hang", message);
      break;
    default:
      say(std::string(name_of(result.outcome)), message);
  }
  if (result.outcome == assertion || result.outcome == aborted || result.outcome == exception ||
      result.outcome == crash) {
    const std::vector<std::uint64_t> stack(result.stack, result.stack + result.stack_depth);
    for (std::string& line : names.stack_lines(stack, 6)) lines.push_back(std::move(line));
  }
  if (!execution.errors.empty() && result.outcome != assertion) {
    std::string_view rest = execution.errors;
    for (int n = 0; n < 6 && !rest.empty(); ++n) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      lines.push_back(fmt::format("    | {}", text::printable(std::string(rest.substr(0, end)))));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return lines;
}

std::vector<std::string> schedule_table(const Execution& execution, std::size_t width) {
  Names names(execution);
  std::vector<std::string> lines;
  const std::size_t threads = std::max<std::size_t>(1, execution.threads.size());
  const std::size_t column = (width - 2) / threads;
  const bool in_columns = column >= kNarrowest;
  if (in_columns) {
    std::string header = "  ";
    for (unsigned i = 0; i < threads; ++i) header += text::fit(names.thread(i), column);
    lines.push_back(text::ink(text::kBold, header));
  }
  const auto& events = execution.events;
  const auto add = [&](unsigned thread, const std::string& what, bool preempts) {
    const std::string mark = preempts ? "> " : "  ";
    if (in_columns) {
      const std::string cell = text::fit(what, column - 2);
      std::string line(thread * column, ' ');
      lines.push_back(line + text::ink(text::kYellow, mark) + cell);
    } else {
      lines.push_back(text::ink(text::kYellow, mark) + text::fit(names.thread(thread), 12) + what);
    }
  };
  std::size_t note = 0;
  for (std::size_t i = 0; i < events.size();) {
    std::size_t end = i;
    while (end < events.size() && events[end].thread == events[i].thread) ++end;
    for (std::size_t k = i; k < end; ++k) {
      if (end - i > kLongRun && k == i + kEdge) {
        const std::size_t left_out = end - i - 2 * kEdge;
        add(events[i].thread, fmt::format("... {} more steps", left_out), false);
        k = end - kEdge;
      }
      const Event& event = events[k];
      const std::string place = names.place(execution.stacks[k], event.pc);
      std::string what = action(event, names);
      if (event.op != Op::start && event.op != Op::thread_end && event.op != Op::process_end) {
        what.insert(0, place + " ");
      }
      add(event.thread, what, (event.flags & check::kPreempts) != 0);
      for (; note < execution.notes.size() && execution.notes[note].step <= k + 1; ++note) {
        add(execution.notes[note].thread,
            fmt::format("\"{}\"", text::printable(execution.notes[note].text)), false);
      }
    }
    i = end;
  }
  return lines;
}

}  // namespace thrum::explore
