// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "report/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "analysis/collector.h"
#include "analysis/places.h"
#include "analysis/procfs.h"
#include "analysis/wait_graph.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::report {

using analysis::Moment;
using text::fit;
using text::human_ns;
using text::ink;
using text::printable;
using trace::Event;
using trace::Kind;

namespace {

constexpr std::size_t kStripCells = 240;
constexpr std::size_t kScreenLocks = 6, kScreenQueues = 6, kScreenChains = 6;

// R if it runs or could run, else what it sleeps as; 0 if it is gone.
char kernel_state(std::uint32_t pid, std::uint32_t tid) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/stat", pid, tid));
  std::string line;
  std::getline(file, line);
  const std::size_t name_ends = line.rfind(')');
  return name_ends == std::string::npos || name_ends + 2 >= line.size() ? '\0'
                                                                        : line[name_ends + 2];
}

std::string human_ns_of(std::uint64_t ns) { return human_ns(static_cast<double>(ns)); }

std::string right(std::string text, std::size_t columns) {
  const std::size_t width = text::columns_of(text);
  if (width < columns) text.insert(0, columns - width, ' ');
  return text;
}

}  // namespace

Live::Doing Live::doing_of(const Moment& moment) {
  if (moment.waits_for == 0) return Doing::running;  // or in the kernel: tick() knows
  switch (Event{0, moment.waits_for, 0, 0}.kind()) {
    case Kind::sleep:
    case Kind::timer:
      return Doing::asleep;
    case Kind::call:
      return Doing::kernel;
    case Kind::condition:
    case Kind::barrier:
    case Kind::once:
    case Kind::join:
    case Kind::event:
    case Kind::queue_get:
    case Kind::queue_put:
    case Kind::queue_join:
    case Kind::group:
      return Doing::others;
    default:
      return Doing::lock;
  }
}

void Live::look(const analysis::Look& look) {
  const std::uint64_t passed = look.ns - std::exchange(now_ns_, look.ns);
  for (auto& [serial, row] : rows_) row.alive = false;
  for (auto& [key, lock] : locks_) {
    lock.waiting = 0;
    lock.holders.clear();
  }
  const analysis::WaitGraph graph;
  for (const Moment& moment : look.threads) {
    Row& row = rows_[moment.thread];
    row.alive = true;
    row.pid = moment.pid;
    row.tid = moment.tid;
    if (const analysis::Thread* const thread = look.names.thread(moment.thread)) {
      row.name = printable(thread->name);
    }
    row.doing = doing_of(moment);
    row.holders.clear();
    if (moment.waits_for == 0) {
      row.waits_key = 0;
      continue;
    }
    row.holders = graph.holders(moment, look.threads);
    const Event event{0, moment.waits_for, 0, 0};
    if (row.waits_key != moment.waits_since) {
      row.waits_key = moment.waits_since;
      row.since_ns = look.ns;
      std::string& site = sites_[{moment.thread, moment.waits_at}];
      if (site.empty()) {
        const std::vector<analysis::Frame> frames =
            look.names.frames(moment.thread, moment.waits_at);
        const analysis::Frame* const frame = analysis::here(frames);
        site = frame != nullptr ? readable(text_of(*frame)) : "?";
      }
      row.site = site;
      std::string& object = objects_[{moment.process, event.object()}];
      if (object.empty()) {
        object = readable(look.names.variable(moment.process, event.object()));
        if (object.empty()) {
          object = fmt::format("{} {:#x}", analysis::name_of(event.kind()), event.object());
        } else if (const auto verb = analysis::verb_of(event.kind()); !verb.empty()) {
          object = fmt::format("{} {}", analysis::name_of(event.kind()), object);
        }
      }
      row.object = event.kind() == Kind::sleep  ? "sleep"
                   : event.kind() == Kind::join ? "the end of a thread"
                   : event.kind() == Kind::call
                       ? analysis::name_of_call(static_cast<long>(event.object()) - 1)
                       : object + std::string(analysis::verb_of(event.kind()));
    }
    if (row.doing != Doing::lock) continue;
    Lock& lock = locks_[{moment.process, event.object()}];
    lock.name = row.object;
    lock.ns += passed;
    lock.most = std::max(lock.most, ++lock.waiting);
    lock.holders = row.holders;
  }
  std::erase_if(rows_, [](const auto& entry) { return !entry.second.alive; });
  look_at_queues(look);
}

void Live::look_at_queues(const analysis::Look& look) {
  for (auto& [key, queue] : queues_) queue.alive = false;
  for (const analysis::QueueLook& one : look.queues) {
    Queue& queue = queues_[{one.process, one.address}];
    queue.name = readable(look.names.variable(one.process, one.address));
    if (queue.name.empty()) queue.name = fmt::format("{:#x}", one.address);
    queue.items = one.items;
    queue.limit = one.limit;
    queue.most = std::max(queue.most, one.items);
    queue.alive = true;
  }
  std::erase_if(queues_, [](const auto& entry) { return !entry.second.alive; });
}

void Live::tick(std::size_t tenths) {
  const auto extend = [&](auto& strip, auto cell) {
    strip.insert(strip.end(), std::min(tenths, kStripCells), cell);
    while (strip.size() > kStripCells) strip.pop_front();
  };
  for (auto& [serial, row] : rows_) {
    if (row.doing == Doing::running) {
      const char state = kernel_state(row.pid, row.tid);
      if (state != 'R') row.doing = Doing::kernel;
    }
    extend(row.strip, row.doing);
  }
  for (auto& [key, queue] : queues_) extend(queue.strip, queue.items);
}

void Live::alarm(const Json& alarm) { alarms_.push_back(report::alarm(alarm)); }

std::string Live::label(std::uint64_t serial) const {
  const auto found = rows_.find(serial);
  return found == rows_.end() ? "a thread that is gone"
                              : fmt::format("{} {}", found->second.name, found->second.tid);
}

// The newest on the right.
std::string Live::strip(const Row& row, std::size_t cells) const {
  std::string text(cells - std::min(cells, row.strip.size()), ' ');
  for (std::size_t i = row.strip.size() - std::min(cells, row.strip.size()); i < row.strip.size();
       ++i) {
    switch (row.strip[i]) {
      case Doing::running:
        text += ink(text::kGreen, "█");
        break;
      case Doing::lock:
        text += ink(text::kRed, "×");
        break;
      case Doing::others:
        text += ink(text::kCyan, "–");
        break;
      case Doing::kernel:
        text += ink(text::kYellow, "~");
        break;
      case Doing::asleep:
        text += ink(text::kDim, "·");
        break;
    }
  }
  return text;
}

std::string Live::what(const Row& row) const {
  const std::uint64_t waited_ns = now_ns_ - row.since_ns;
  switch (row.doing) {
    case Doing::running:
      return "running";
    case Doing::kernel:  // in a call that is known, unless only tick() found it there
      return row.waits_key == 0 ? "in the kernel"
                                : fmt::format("{}, {}", ink(text::kCyan, row.object), row.site);
    case Doing::asleep:
      return fmt::format("asleep, {}", row.site);
    default: {
      const std::string how_long =
          waited_ns >= 1'000'000'000 ? ink(text::kYellow, " for " + human_ns_of(waited_ns)) : "";
      return fmt::format("{}{}, {}", ink(text::kCyan, row.object), how_long, row.site);
    }
  }
}

// Who waits for whom, to the end or until it comes back.
std::string Live::chain(std::uint64_t serial, std::vector<std::uint64_t>& links) const {
  std::string text = label(serial);
  std::set<std::uint64_t> seen;
  for (auto at = rows_.find(serial); at != rows_.end() && !at->second.holders.empty();) {
    links.push_back(at->first);
    if (!seen.insert(at->first).second) return text + ink(text::kRed, "  (a cycle)");
    text += fmt::format(" → {} → {}", ink(text::kCyan, at->second.object),
                        label(at->second.holders[0]));
    if (at->second.holders.size() > 1) {
      text += fmt::format(" and {} more", at->second.holders.size() - 1);
    }
    at = rows_.find(at->second.holders[0]);
    if (at != rows_.end() && at->second.holders.empty()) {
      text +=
          fmt::format(" ({})", at->second.doing == Doing::running ? "running" : what(at->second));
    }
  }
  return text;
}

// How full each queue was, against its limit; one without a limit against the most it held.
std::vector<std::string> Live::queue_lines(std::size_t columns) const {
  static constexpr std::array<std::string_view, 9> kBars{" ", "▁", "▂", "▃", "▄",
                                                         "▅", "▆", "▇", "█"};
  std::vector<std::string> found;
  const std::size_t cells = columns > 100 ? columns - 76 : columns > 60 ? columns / 4 : 8;
  for (const auto& [key, queue] : queues_) {
    if (found.size() >= kScreenQueues) break;
    const std::size_t shown = std::min(cells, queue.strip.size());
    const std::uint64_t full = queue.limit != 0 ? queue.limit : queue.most;
    std::string bars;
    for (std::size_t i = queue.strip.size() - shown; i < queue.strip.size(); ++i) {
      // The lowest bar for one item, the highest only where it is full.
      const std::uint64_t items = std::min(queue.strip[i], full);
      const std::uint64_t level = items == 0 ? 0 : items == full ? 8 : 1 + items * 7 / full;
      bars += kBars[level];
    }
    const std::string limit = queue.limit != 0 ? fmt::format(" of {}", queue.limit) : "";
    found.push_back(fit(fmt::format("  {}", queue.name), 25) + " " +
                    std::string(cells - shown, ' ') + ink(text::kCyan, bars) +
                    fmt::format("  {}{}, most {}", queue.items, limit, queue.most));
  }
  return found;
}

std::vector<std::string> Live::lines(const std::vector<std::string>& head, std::size_t columns,
                                     std::size_t rows) const {
  std::vector<std::string> all = head;
  const auto title = [&](std::string_view words) {
    all.emplace_back();
    all.push_back(ink(text::kBold, words));
  };
  for (const std::vector<std::string>& alarm : alarms_) {
    all.emplace_back();
    all.insert(all.end(), alarm.begin(), alarm.end());
  }

  // Below the threads: what there is of the rest.
  std::vector<std::string> below;
  std::swap(all, below);
  std::vector<const Lock*> locks;
  for (const auto& [key, lock] : locks_) {
    if (!lock.name.starts_with("thrum::waist::")) locks.push_back(&lock);  // the library's own
  }
  std::ranges::stable_sort(locks, std::ranges::greater{},
                           [](const Lock* lock) { return lock->ns; });
  if (locks.size() > kScreenLocks) locks.resize(kScreenLocks);
  if (!locks.empty()) {
    title("Locks, by time waited for them");
    all.push_back(ink(text::kDim, right("  waited", 10) + right("now", 6) + right("most", 6) +
                                      "  lock, held by"));
  }
  for (const Lock* const lock : locks) {
    std::string line =
        right(human_ns_of(lock->ns), 10) + right(fmt::format("{}", lock->waiting), 6) +
        right(fmt::format("{}", lock->most), 6) + "  " + ink(text::kCyan, lock->name);
    for (std::size_t i = 0; i < std::min<std::size_t>(2, lock->holders.size()); ++i) {
      line += ", " + label(lock->holders[i]);
    }
    all.push_back(std::move(line));
  }
  if (!queues_.empty()) {
    title("Queues: how many items they hold");
    for (std::string& line : queue_lines(columns)) all.push_back(std::move(line));
  }
  // From those whom nobody waits for; a cycle has none, and is told from any of its threads.
  std::vector<std::string> chains;
  std::set<std::uint64_t> told;
  for (const auto& [serial, row] : rows_) told.insert(row.holders.begin(), row.holders.end());
  for (const bool heads : {true, false}) {
    for (const auto& [serial, row] : rows_) {
      if (row.holders.empty() || told.contains(serial) == heads || chains.size() >= kScreenChains) {
        continue;
      }
      std::vector<std::uint64_t> links;
      chains.push_back("  " + chain(serial, links));
      for (const std::uint64_t link : links) told.erase(link);
    }
  }
  if (!chains.empty()) title("Who waits for whom");
  all.insert(all.end(), chains.begin(), chains.end());
  std::swap(all, below);

  title(fmt::format("Threads: {}", rows_.size()));
  const std::size_t cells = columns > 100 ? columns - 76 : columns > 60 ? columns / 4 : 8;
  all.push_back(ink(text::kDim, fit("  thread", 26)) +
                fit("the last " + human_ns(1e8 * static_cast<double>(cells)), cells + 2) +
                fmt::format("{} runs or could {} lock {} others {} kernel {} asleep",
                            ink(text::kGreen, "█"), ink(text::kRed, "×"), ink(text::kCyan, "–"),
                            ink(text::kYellow, "~"), ink(text::kDim, "·")));
  const std::size_t taken = all.size() + below.size() + 1;
  const std::size_t room = rows > taken + 3 ? rows - taken : 3;
  // Those that wait for a lock first, then those that run: they are why somebody looks.
  std::vector<const Row*> order;
  for (const auto& [serial, row] : rows_) order.push_back(&row);
  if (order.size() > room) {
    std::ranges::stable_sort(order, {}, [](const Row* row) {
      static constexpr std::array<int, 5> kOrder{1, 0, 2, 3, 4};
      return kOrder[static_cast<std::size_t>(row->doing)];
    });
  }
  for (std::size_t i = 0; i < std::min(room, order.size()); ++i) {
    const Row& row = *order[i];
    std::string line = fit(fmt::format("  {} {}", row.name, row.tid), 25) + " " +
                       strip(row, cells) + "  " + what(row);
    all.push_back(std::move(line));
  }
  if (order.size() > room) {
    all.push_back(ink(text::kDim, fmt::format("  and {} more", order.size() - room)));
  }
  all.insert(all.end(), below.begin(), below.end());
  if (all.size() > rows) all.resize(rows);
  for (std::string& line : all) {
    if (text::columns_of(line) > columns) line = fit(line, columns);
  }
  return all;
}

}  // namespace thrum::report
