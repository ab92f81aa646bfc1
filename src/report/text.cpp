// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "analysis/places.h"
#include "report/reports.h"
#include "text/terminal.h"
#include "text/units.h"

namespace thrum::report {

using analysis::Inversion;
using analysis::Life;
using analysis::LockSite;
using analysis::Slice;
using analysis::State;
using text::fit;
using text::grouped;
using text::human_ns;
using text::ink;
using text::printable;

namespace {

constexpr std::size_t kScreenThreads = 12;
constexpr std::size_t kScreenLocks = 6, kScreenOthers = 4;
constexpr std::size_t kScreenFindings = 3;

std::string right(std::string text, std::size_t columns) {
  const std::size_t width = text::columns_of(text);
  if (width < columns) text.insert(0, columns - width, ' ');
  return text;
}

std::string time(std::uint64_t ns) { return human_ns(static_cast<double>(ns)); }

std::string label_of(const Life& life) {
  return fmt::format("{} {}", printable(life.name), life.thread->tid);
}

std::string thread_name(const Analysis& analysis, std::uint64_t serial) {
  const auto found = analysis.life_of.find(serial);
  return found != analysis.life_of.end() ? label_of(analysis.lives[found->second])
                                         : fmt::format("thread #{}", serial);
}

class Text {
 public:
  Text(const Analysis& analysis, std::size_t columns, bool all)
      : analysis_(analysis), recording_(*analysis.recording), columns_(columns), all_(all) {}

  std::vector<std::string> lines() {
    head();
    alarms();
    inversions();
    threads();
    contention();
    others();
    queues();
    return std::move(lines_);
  }

 private:
  void add(std::string line) { lines_.push_back(std::move(line)); }
  void title(std::string_view words) {
    add("");
    add(ink(text::kBold, words));
  }
  std::string name_of(std::uint64_t serial) const { return thread_name(analysis_, serial); }

  void head() {
    std::set<std::uint32_t> processes;
    for (const Life& life : analysis_.lives) processes.insert(life.thread->process);
    add(fmt::format("{}  {}", ink(text::kBold, "thrum watch"),
                    fit_cut(command(recording_), columns_ - 13)));
    add(fmt::format("  {} after {}; {} thread{} in {} process{}", ending(recording_),
                    time(analysis_.end), grouped(analysis_.lives.size()),
                    analysis_.lives.size() == 1 ? "" : "s", grouped(processes.size()),
                    processes.size() == 1 ? "" : "es"));
    if (analysis_.blocked_ns != 0) {
      add(fmt::format("  blocked for {} in sum, {:.1f} % of it on an object with a name below",
                      time(analysis_.blocked_ns),
                      100.0 * static_cast<double>(analysis_.named_ns) /
                          static_cast<double>(analysis_.blocked_ns)));
    }
    for (const std::string& line : level(analysis_)) {
      for (const std::string& part : text::wrap("level: " + line, columns_ - 2)) {
        add("  " + ink(text::kDim, part));
      }
    }
  }

  static std::string fit_cut(const std::string& text, std::size_t columns) {
    return text::columns_of(text) > columns ? fit(text, columns) : text;
  }

  void alarms() {
    for (const Json& one : recording_.alarms) {
      add("");
      for (std::string& line : alarm(one)) add(std::move(line));
    }
  }

  void inversions() {
    const std::size_t n =
        all_ ? analysis_.inversions.size() : std::min(kScreenFindings, analysis_.inversions.size());
    for (std::size_t i = 0; i < n; ++i) {
      add("");
      for (std::string& line : inversion(analysis_, analysis_.inversions[i])) add(std::move(line));
    }
    more(n, analysis_.inversions.size(), "lock orders");
  }

  void threads() {
    if (analysis_.lives.empty()) return;
    title("Threads");
    const bool split = analysis_.has_switches;
    std::string heads = fit("  thread", 26) + right("life", 9);
    if (split) {
      heads += right("running", 9) + right("ready", 9);
    } else {
      heads += right("runnable", 9);
    }
    heads += right("blocked", 9);
    if (split) heads += right("switches", 10) + right("forced", 8) + right("to own", 8);
    if (analysis_.knows_next) heads += right("to idle", 8);
    add(ink(text::kDim, heads + "  ended, mostly blocked on"));
    std::vector<const Life*> order;
    for (const Life& life : analysis_.lives) order.push_back(&life);
    if (!all_ && order.size() > kScreenThreads) {
      std::ranges::stable_sort(order, std::ranges::greater{}, [](const Life* life) {
        return life->ns[static_cast<std::size_t>(State::running)] +
               life->ns[static_cast<std::size_t>(State::runnable)];
      });
      order.resize(kScreenThreads);
    }
    for (const Life* const life : order) thread(*life, split);
    more(order.size(), analysis_.lives.size(), "threads");
  }

  void thread(const Life& life, bool split) {
    const auto ns = [&](State state) { return life.ns[static_cast<std::size_t>(state)]; };
    std::string line = fit("  " + label_of(life), 26) + right(time(life.end - life.begin), 9);
    if (split) {
      // Without a record of its own it was never switched: what is not a wait is running.
      line += right(time(ns(State::running) + ns(State::runnable)), 9) +
              right(time(ns(State::ready) + ns(State::new_)), 9);
    } else {
      line += right(time(ns(State::runnable) + ns(State::new_)), 9);
    }
    line += right(time(ns(State::blocked)), 9);
    if (split) {
      line += right(grouped(life.voluntary + life.involuntary), 10) +
              right(grouped(life.involuntary), 8) + right(grouped(life.thread_switches), 8);
      if (analysis_.knows_next) line += right(grouped(life.left_idle), 8);
    }
    const std::string how = analysis::text_of_end(*life.thread);
    const bool bad =
        life.thread->end == trace::End::aborted || life.thread->end == trace::End::signalled;
    const std::string most = mostly(life);
    std::string last = bad ? ink(text::kRed, printable(how)) : how;
    if (!most.empty()) last += ", " + most;
    add(line + "  " + last);
  }

  // What it was blocked on for the longest time.
  std::string mostly(const Life& life) const {
    std::map<std::tuple<std::uint64_t, trace::Kind, const std::string*>, std::uint64_t> sums;
    std::uint64_t unnamed = 0;
    for (const Slice& slice : life.slices) {
      if (slice.state != State::blocked) continue;
      if (slice.wait == Slice::kNoWait) {
        unnamed += slice.end - slice.begin;
      } else {
        const analysis::Wait& wait = life.waits[slice.wait];
        sums[{wait.object, wait.kind, wait.given}] += slice.end - slice.begin;
      }
    }
    const auto most =
        std::ranges::max_element(sums, {}, [](const auto& sum) { return sum.second; });
    if (most == sums.end() || most->second < unnamed) return unnamed != 0 ? "the kernel" : "";
    const auto& [what, kind, given] = most->first;
    return readable(analysis::object_text(analysis_, *life.thread, what, kind, given));
  }

  void contention() {
    std::vector<const LockSite*> sites;
    for (const LockSite& site : analysis_.contention) {
      if (all_ || (site.contended != 0 && analysis::is_worth_a_line(analysis_, site)))
        sites.push_back(&site);
    }
    const std::size_t n = all_ ? sites.size() : std::min(kScreenLocks, sites.size());
    title(n == 0 ? "No lock was waited for" : "Locks, by time lost waiting for them");
    if (n == 0) return;
    add(ink(text::kDim, right("  waited", 10) + right("times", 9) + right("of", 11) +
                            right("median", 9) + right("p99", 9) + right("longest", 9) +
                            right("held", 9) + "  lock, taken at"));
    for (std::size_t i = 0; i < n; ++i) {
      const LockSite& site = *sites[i];
      std::string line =
          right(time(site.total_ns), 10) + right(grouped(site.contended), 9) +
          right(site.acquisitions != 0 ? grouped(site.acquisitions) : std::string(), 11);
      if (site.contended != 0) {
        line +=
            right(time(site.p50_ns), 9) + right(time(site.p99_ns), 9) + right(time(site.max_ns), 9);
      } else {
        line += right("", 27);
      }
      line += right(site.held_samples != 0 ? time(site.held_mean_ns) : "", 9);
      add(fmt::format("{}  {}, {}", line, ink(text::kCyan, readable(site.object_name)),
                      readable(site.site)));
      threads_below("held meanwhile by", site.holders);
      if (site.holders.empty()) threads_below("let go by", site.wakers);
    }
    more(n, sites.size(), "locks that were waited for");
  }

  // The first three by how often.
  void threads_below(std::string_view what, const std::map<std::uint64_t, std::uint64_t>& times) {
    std::string list;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> who(times.begin(), times.end());
    std::ranges::sort(who, std::ranges::greater{}, [](const auto& one) { return one.second; });
    for (std::size_t i = 0; i < std::min<std::size_t>(3, who.size()); ++i) {
      list += fmt::format("{}{} ({})", i == 0 ? "" : ", ", name_of(who[i].first),
                          grouped(who[i].second));
    }
    if (!list.empty()) add(fmt::format("{:>12}{} {}", "", what, list));
  }

  void others() {
    const std::vector<LockSite>& sites = analysis_.others;
    if (sites.empty()) return;
    const std::size_t n = all_ ? sites.size() : std::min(kScreenOthers, sites.size());
    title("Waits for others, by time; idle threads are among them");
    add(ink(text::kDim, right("  waited", 10) + right("times", 9) + right("median", 9) +
                            right("p99", 9) + right("longest", 9) + "  for, at"));
    for (std::size_t i = 0; i < n; ++i) {
      const LockSite& site = sites[i];
      add(fmt::format("{}{}{}{}{}  {}, {}", right(time(site.total_ns), 10),
                      right(grouped(site.contended), 9), right(time(site.p50_ns), 9),
                      right(time(site.p99_ns), 9), right(time(site.max_ns), 9),
                      ink(text::kCyan, readable(site.object_name)), readable(site.site)));
      threads_below("let go by", site.wakers);
    }
    more(n, sites.size(), "of these");
  }

  void queues() {
    if (analysis_.queues.empty()) return;
    const std::size_t n =
        all_ ? analysis_.queues.size() : std::min(kScreenLocks, analysis_.queues.size());
    title("Queues, by time waited for them");
    add(ink(text::kDim, right("  for items", 11) + right("times", 9) + right("for room", 10) +
                            right("times", 9) + right("least", 8) + right("mean", 8) +
                            right("most", 8) + right("limit", 8) + "  queue"));
    for (std::size_t i = 0; i < n; ++i) {
      const analysis::QueueUse& use = analysis_.queues[i];
      const auto items = [&](const std::string& figure) {
        return right(use.depth.empty() ? "" : figure, 8);
      };
      add(fmt::format("{}{}{}{}{}{}{}{}  {}", right(time(use.get.total_ns), 11),
                      right(grouped(use.get.n), 9), right(time(use.put.total_ns), 10),
                      right(grouped(use.put.n), 9), items(grouped(use.least)),
                      items(fmt::format("{:.1f}", use.mean)), items(grouped(use.most)),
                      right(use.limit != 0 ? grouped(use.limit) : "", 8),
                      ink(text::kCyan, readable(use.name))));
    }
    more(n, analysis_.queues.size(), "queues");
  }

  void more(std::size_t shown, std::size_t all, std::string_view what) {
    if (shown < all) {
      add(ink(text::kDim, fmt::format("  and {} more {}: --all", grouped(all - shown), what)));
    }
  }

  const Analysis& analysis_;
  const analysis::Recording& recording_;
  const std::size_t columns_;
  const bool all_;
  std::vector<std::string> lines_;
};

std::string member(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? readable(found->get<std::string>())
                                                   : std::string();
}

// Where it is, and who called that from another file.
std::string place(const Json& json) {
  const std::string from = member(json, "from");
  return member(json, "at") + (from.empty() ? "" : ", called from " + from);
}

}  // namespace

std::vector<std::string> text(const Analysis& analysis, std::size_t columns, bool all) {
  return Text(analysis, columns, all).lines();
}

std::vector<std::string> inversion(const Analysis& analysis, const Inversion& inversion) {
  std::vector<std::string> lines{
      ink(text::kYellow, "Lock order: these threads can lock each other up, and did not yet")};
  for (const Inversion::Step& step : inversion.steps) {
    lines.push_back(fmt::format("  {} took {} at {}", thread_name(analysis, step.thread),
                                ink(text::kCyan, readable(step.first)), readable(step.first_at)));
    lines.push_back(fmt::format("    then {} at {}", ink(text::kCyan, readable(step.second)),
                                readable(step.second_at)));
  }
  return lines;
}

std::vector<std::string> alarm(const Json& alarm) {
  const auto threads = alarm.find("threads");
  if (threads == alarm.end() || !threads->is_array() || threads->empty()) return {};
  std::vector<std::string> lines{ink(
      text::kRed, threads->size() == 1
                      ? "Deadlock: a thread waits for itself"
                      : fmt::format("Deadlock: {} threads wait for each other", threads->size()))};
  const auto id = [&](const Json& one) {
    const auto tid = one.find("tid");
    return fmt::format("{} {}", member(one, "name"),
                       tid != one.end() && tid->is_number_unsigned() ? tid->get<unsigned>() : 0);
  };
  for (std::size_t i = 0; i < threads->size(); ++i) {
    const Json& one = (*threads)[i];
    const Json& holder = (*threads)[(i + 1) % threads->size()];
    const std::string object = member(one, "object");
    const auto at = one.find("wants_at");
    const std::string wants_at = at != one.end() ? place(*at) : std::string();
    if (member(one, "kind") == "thread") {
      lines.push_back(fmt::format("  {} waits for the end of {}", id(one), id(holder)));
    } else {
      lines.push_back(fmt::format("  {} wants {} {}, held by {}", id(one), member(one, "kind"),
                                  ink(text::kCyan, object.empty() ? member(one, "wants") : object),
                                  id(holder)));
    }
    if (!wants_at.empty()) lines.push_back(fmt::format("      wants it at  {}", wants_at));
    const auto took = holder.find("took_at");
    if (took != holder.end() && !place(*took).empty()) {
      lines.push_back(fmt::format("      taken at     {}", place(*took)));
    }
  }
  return lines;
}

}  // namespace thrum::report
