// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A recording as a page (text/page.h): its model as JSON, then its slices.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "analysis/places.h"
#include "report/reports.h"
#include "text/page.h"
#include "text/terminal.h"

namespace thrum::report {

using analysis::Life;
using analysis::LockSite;
using analysis::Slice;
using analysis::State;
using text::printable;

extern const text::PageSource kPageSource;

namespace {

// The page tells apart what a thread is blocked on; the numbers above State's are its own.
enum Shown : std::uint64_t {
  on_lock = static_cast<std::uint64_t>(State::blocked),
  in_kernel = 5,
  on_others = 6,  // until somebody does something: a condition, a barrier, a thread's end
  asleep = 7,
  in_call = 8,  // in the kernel, in a system call that is known
};

// More would make the page larger than it is useful; the tables and forms for programs have all.
constexpr std::size_t kMostLocks = 500;
constexpr std::size_t kMostQueues = 50;
constexpr std::size_t kMostPoints = 4000;  // of one queue; twice as many are drawn
// A page with more slices than this has times to a tenth of a microsecond, and half the size. The
// sums in its tables are exact.
constexpr std::size_t kManySlices = 200'000;
constexpr std::uint64_t kCoarseNs = 100;

// Numbers of seven bits a byte, the low ones first.
void put(std::string& to, std::uint64_t n) {
  for (; n >= 128; n >>= 7) to += static_cast<char>(n | 128);
  to += static_cast<char>(n);
}

// Texts by number.
class Texts {
 public:
  std::uint64_t number(std::string text) {
    const auto [known, is_new] = numbers_.try_emplace(std::move(text), list_.size());
    if (is_new) list_.push_back(known->first);
    return known->second;
  }
  Json take() { return std::move(list_); }

 private:
  Json list_ = Json::array();
  std::map<std::string, std::uint64_t> numbers_;
};

// What follows the page's JSON. Like things stand together, which packs well: for each lane its
// number of slices and its begin; then for all slices in order how long, which state; for those
// that wait what for, where, held by whom, let go by whom; and for these how long before its end.
struct Columns {
  std::string lanes{}, lengths{}, states{}, objects{}, sites{}, holders{}, wakers{}, woken{};

  std::string join() const {
    return lanes + lengths + states + objects + sites + holders + wakers + woken;
  }
};

Shown shown(const Life& life, const Slice& slice) {
  if (slice.state != State::blocked) return static_cast<Shown>(slice.state);
  if (slice.wait == Slice::kNoWait) return in_kernel;
  switch (life.waits[slice.wait].kind) {
    case trace::Kind::sleep:
      return asleep;
    case trace::Kind::condition:
    case trace::Kind::barrier:
    case trace::Kind::once:
    case trace::Kind::join:
    case trace::Kind::event:
    case trace::Kind::queue_get:
    case trace::Kind::queue_put:
    case trace::Kind::queue_join:
    case trace::Kind::group:
      return on_others;
    case trace::Kind::timer:
      return asleep;
    case trace::Kind::call:
      return in_call;
    default:
      return on_lock;
  }
}

class Page {
 public:
  explicit Page(const Analysis& analysis) : analysis_(analysis), recording_(*analysis.recording) {}

  std::string html() {
    std::size_t all = 0;
    for (const Life& life : analysis_.lives) all += life.slices.size();
    if (all > kManySlices) quantum_ = kCoarseNs;
    Json threads = Json::array();
    for (const Life& life : analysis_.lives) threads.push_back(thread(life));
    for (const Life& life : analysis_.lives) slices(life);
    Json level = Json::array(), deadlocks = Json::array(), inversions = Json::array();
    for (const std::string& line : report::level(analysis_)) level.push_back(line);
    for (const Json& one : recording_.alarms) deadlocks.push_back(plain(alarm(one)));
    for (const analysis::Inversion& inversion : analysis_.inversions) {
      inversions.push_back(plain(report::inversion(analysis_, inversion)));
    }
    const Json model{{"command", command(recording_)},
                     {"ending", ending(recording_)},
                     {"end", analysis_.end},
                     {"quantum", quantum_},
                     {"level", std::move(level)},
                     {"deadlocks", std::move(deadlocks)},
                     {"inversions", std::move(inversions)},
                     {"threads", std::move(threads)},
                     {"objects", objects_.take()},
                     {"sites", sites_.take()},
                     {"locks", locks()},
                     {"others", others()},
                     {"queues", queues()}};
    const std::string json = model.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto size = static_cast<std::uint32_t>(json.size());
    std::string data(sizeof size, '\0');
    std::memcpy(data.data(), &size, sizeof size);
    data += json;
    data += columns_.join();

    return text::page(kPageSource, data);
  }

 private:
  static std::string plain(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += text::Terminal{.utf8 = true}.render(line) + '\n';
    return text;
  }

  std::string label(std::uint64_t serial) const {
    const auto found = analysis_.life_of.find(serial);
    if (found == analysis_.life_of.end()) return {};
    const Life& life = analysis_.lives[found->second];
    return fmt::format("{} {}", printable(life.name), life.thread->tid);
  }

  Json thread(const Life& life) const {
    const auto process = recording_.processes.find(life.thread->process);
    return Json{{"name", printable(life.name)},
                {"tid", life.thread->tid},
                {"pid", process != recording_.processes.end() ? process->second.pid : 0},
                {"begin", life.begin},
                {"end", life.end},
                {"how", analysis::text_of_end(*life.thread)},
                {"ns", {life.ns[0], life.ns[1], life.ns[2], life.ns[3], life.ns[4]}},
                {"switches", {life.voluntary, life.involuntary, life.thread_switches}}};
  }

  std::uint64_t coarse(std::uint64_t ns) const { return (ns + quantum_ / 2) / quantum_; }

  void slices(const Life& life) {
    put(columns_.lanes, life.slices.size());
    put(columns_.lanes, coarse(life.begin));
    std::uint32_t let_go = Slice::kNoWait;  // the last wait whose end has its arrow
    for (const Slice& slice : life.slices) {
      // Both ends are rounded, not what is between them: no error adds up.
      put(columns_.lengths, coarse(slice.end) - coarse(slice.begin));
      const Shown state = shown(life, slice);
      put(columns_.states, state);
      if (state < on_lock || state == in_kernel) continue;  // these have no name
      const analysis::Wait& wait = life.waits[slice.wait];
      const Named& named = texts_of(life, wait);
      put(columns_.objects, named.object);
      put(columns_.sites, named.site);
      put(columns_.holders, number_of(wait.kind == trace::Kind::join ? wait.waker : wait.holder));
      const bool ends = let_go != slice.wait && wait.woken <= slice.end;
      const std::uint64_t waker = ends ? number_of(wait.waker) : 0;
      put(columns_.wakers, waker);
      if (waker == 0) continue;
      put(columns_.woken, coarse(slice.end) - coarse(wait.woken));
      let_go = slice.wait;
    }
  }

  // Returns 1 and the index of the thread; 0 if it is not known.
  std::uint64_t number_of(std::uint64_t serial) const {
    const auto found = analysis_.life_of.find(serial);
    return found == analysis_.life_of.end() ? 0 : found->second + 1;
  }

  struct Named {
    std::uint64_t object = 0, site = 0;
  };

  const Named& texts_of(const Life& life, const analysis::Wait& wait) {
    const bool join = wait.kind == trace::Kind::join;
    const auto [known, is_new] =
        named_.try_emplace(std::tuple(life.thread->serial, join ? wait.waker : wait.object,
                                      wait.site_stack, wait.kind, wait.given));
    if (is_new) {
      std::string object =
          join ? fmt::format("end of {}", wait.waker != 0 ? label(wait.waker) : "a thread")
               : report::object(analysis_, *life.thread, wait);
      known->second = {
          objects_.number(std::move(object)),
          sites_.number(printable(analysis::site_text(recording_, *life.thread, wait.site_stack)))};
    }
    return known->second;
  }

  Json locks() const {
    Json rows = Json::array();
    for (const LockSite& site : analysis_.contention) {
      if (rows.size() >= kMostLocks) break;
      if (!analysis::is_worth_a_line(analysis_, site)) continue;
      rows.push_back({printable(site.object_name), site.total_ns, site.contended, site.acquisitions,
                      site.p50_ns, site.p99_ns, site.max_ns, site.held_mean_ns,
                      printable(site.site), threads_of(site.holders)});
    }
    return rows;
  }

  std::string threads_of(const std::map<std::uint64_t, std::uint64_t>& times) const {
    std::string list;
    for (const auto& [serial, n] : times) {
      list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", label(serial), n);
    }
    return list;
  }

  Json others() const {
    Json rows = Json::array();
    for (const LockSite& site : analysis_.others) {
      if (rows.size() >= kMostLocks) break;
      rows.push_back({printable(site.object_name), site.total_ns, site.contended, site.p50_ns,
                      site.p99_ns, site.max_ns, printable(site.site), threads_of(site.wakers)});
    }
    return rows;
  }

  Json queues() const {
    Json rows = Json::array();
    for (const analysis::QueueUse& use : analysis_.queues) {
      if (rows.size() >= kMostQueues) break;
      // What a chart can show: of many points in a row the highest and the lowest.
      Json points = Json::array();
      const std::size_t step = 1 + use.depth.size() / kMostPoints;
      for (std::size_t i = 0; i < use.depth.size(); i += step) {
        const auto first = use.depth.begin() + static_cast<std::ptrdiff_t>(i);
        const auto last = first + static_cast<std::ptrdiff_t>(std::min(step, use.depth.size() - i));
        auto [low, high] =
            std::ranges::minmax_element(first, last, {}, &analysis::QueueUse::Point::items);
        if (high < low) std::swap(low, high);
        points.push_back({low->ns, low->items});
        if (high != low) points.push_back({high->ns, high->items});
      }
      rows.push_back({{"name", printable(use.name)},
                      {"limit", use.limit},
                      {"begin", use.begin},
                      {"end", use.end},
                      {"least", use.least},
                      {"mean", use.mean},
                      {"most", use.most},
                      {"get", {use.get.total_ns, use.get.n}},
                      {"put", {use.put.total_ns, use.put.n}},
                      {"points", std::move(points)}});
    }
    return rows;
  }

  const Analysis& analysis_;
  const analysis::Recording& recording_;
  std::uint64_t quantum_ = 1;
  Columns columns_;
  Texts objects_, sites_;
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, trace::Kind, const std::string*>,
           Named>
      named_;
};

}  // namespace

std::string html(const Analysis& analysis) { return Page(analysis).html(); }

}  // namespace thrum::report
