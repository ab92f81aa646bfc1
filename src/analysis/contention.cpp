// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "analysis/analysis.h"
#include "analysis/places.h"

namespace thrum::analysis {

using trace::Event;
using trace::Kind;
using trace::Type;

namespace {

bool is_contention(Kind kind) {
  return kind == Kind::mutex || kind == Kind::read_lock || kind == Kind::write_lock ||
         kind == Kind::semaphore || kind == Kind::futex || kind == Kind::lock;
}

// Queues have a table of their own; to wait for a thread's end, or for a time, is no surprise.
bool is_for_others(Kind kind) {
  return kind == Kind::condition || kind == Kind::barrier || kind == Kind::once ||
         kind == Kind::event || kind == Kind::group;
}

}  // namespace

bool is_worth_a_line(const Analysis& analysis, const LockSite& site) {
  constexpr std::uint64_t kPart = 100;
  return !site.is_internal || site.total_ns >= analysis.end / kPart;
}

void find_contention(Analysis& analysis) {
  const Recording& recording = *analysis.recording;
  struct Row {
    LockSite site{};
    std::vector<std::uint64_t> waits{};
    std::uint64_t held_ns = 0;
    bool has_place = false, is_merged = false;
  };
  // By object and place in the program: where the stack is known, the place that the reader knows.
  // Of two that had one address, one after the other, each by its name.
  std::map<std::tuple<std::uint32_t, std::uint64_t, const std::string*, std::string>, Row> rows;
  std::map<std::uint64_t, std::string> texts;  // of one thread
  const Thread* thread = nullptr;
  const auto row = [&](std::uint64_t object, Kind kind, std::uint64_t site_stack,
                       const std::string* given) -> Row& {
    std::string& text = texts[site_stack];
    if (text.empty()) text = site_text(recording, *thread, site_stack);
    Row& found = rows[{thread->process, object, given, text}];
    if (found.site.site.empty()) {
      found.site.process = thread->process;
      found.site.object = object;
      found.site.site = text;
      found.has_place = site_stack != 0;
    }
    if (found.site.kind == Kind::none) {
      found.site.kind = kind;
      found.site.object_name = object_text(analysis, *thread, object, kind, given);
      found.site.is_internal = found.site.object_name.starts_with("thrum::waist::");
    }
    return found;
  };
  const auto last_name = [&](std::uint64_t object) {
    return given_name(recording, thread->process, object);
  };
  for (const Life& life : analysis.lives) {
    thread = life.thread;
    texts.clear();
    // Counts have no stack: they are those of the stack that the site was first met on.
    std::map<std::uint64_t, std::uint64_t> stack_of_site;
    const auto with_stack = [&](std::uint64_t site) {
      const auto found = stack_of_site.find(site & trace::kAddressMask);
      return found != stack_of_site.end() ? found->second : site;
    };
    for (const Event& event : thread->events) {
      switch (event.type()) {
        case Type::acquire:
          if (event.stack() != 0) stack_of_site.try_emplace(event.site(), event.site_stack);
          break;
        case Type::counted:
          row(event.object(), event.kind(), with_stack(event.site()), last_name(event.object()))
              .site.acquisitions += event.argument;
          break;
        case Type::held: {
          if (event.argument == trace::kUntimed) break;
          Row& its =
              row(event.object(), Kind::none, with_stack(event.site()), last_name(event.object()));
          const std::uint64_t ns = recording.ns(event.argument);
          ++its.site.held_samples;
          its.held_ns += ns;
          its.site.held_max_ns = std::max(its.site.held_max_ns, ns);
          break;
        }
        default:
          break;
      }
    }
    for (const AcquisitionCount& count : thread->counts) {
      const Event event{0, count.object_kind, count.site, 0};
      row(event.object(), event.kind(), with_stack(count.site), last_name(event.object()))
          .site.acquisitions += count.n;
    }
    for (const Wait& wait : life.waits) {
      if (!is_contention(wait.kind) && !is_for_others(wait.kind)) continue;
      Row& its = row(wait.object, wait.kind, wait.site_stack, wait.given);
      ++its.site.contended;
      if (wait.kind == Kind::futex || wait.kind == Kind::semaphore || wait.kind == Kind::lock)
        ++its.site.acquisitions;
      its.waits.push_back(wait.end - wait.begin);
      its.site.total_ns += wait.end - wait.begin;
      // Who let go a mutex had it.
      const bool is_exclusive = wait.kind == Kind::mutex || wait.kind == Kind::lock;
      const std::uint64_t holder = wait.holder == 0 && is_exclusive ? wait.waker : wait.holder;
      if (holder != 0) ++its.site.holders[holder];
      if (wait.waker != 0) ++its.site.wakers[wait.waker];
      if (its.site.stack.empty()) its.site.stack = stack_of(recording, *thread, wait.site_stack);
    }
  }
  // Waits of which only the kernel told have no place. Where all others on their object were at one
  // place, they were there too, as far as anybody saw.
  std::map<Place, std::vector<Row*>> by_object;
  for (auto& [key, one] : rows) by_object[{one.site.process, one.site.object}].push_back(&one);
  for (auto& [object, its] : by_object) {
    const auto without = std::ranges::find(its, false, &Row::has_place);
    if (without == its.end() || its.size() < 2) continue;
    Row& from = **without;
    its.erase(without);
    const auto waits = [](const Row* one) { return one->waits.size(); };
    Row& to = **std::ranges::max_element(its, {}, waits);
    if (!to.has_place) continue;
    if (its.size() > 1) {
      from.site.site += fmt::format(", else at {} and {} more", to.site.site, its.size() - 1);
      continue;
    }
    to.waits.insert(to.waits.end(), from.waits.begin(), from.waits.end());
    to.site.contended += from.site.contended;
    to.site.total_ns += from.site.total_ns;
    to.site.acquisitions += from.site.acquisitions;
    for (const auto& [serial, n] : from.site.holders) to.site.holders[serial] += n;
    for (const auto& [serial, n] : from.site.wakers) to.site.wakers[serial] += n;
    from.is_merged = true;
  }
  std::erase_if(rows, [](const auto& entry) { return entry.second.is_merged; });
  for (auto& entry : rows) {
    Row& its = entry.second;
    LockSite& site = its.site;
    if (!its.waits.empty()) {
      std::ranges::sort(its.waits);
      const auto quantile = [&](double q) {
        return its.waits[static_cast<std::size_t>(q * static_cast<double>(its.waits.size() - 1))];
      };
      site.p50_ns = quantile(0.5);
      site.p99_ns = quantile(0.99);
      site.max_ns = its.waits.back();
    }
    if (site.held_samples != 0) site.held_mean_ns = its.held_ns / site.held_samples;
    (is_for_others(site.kind) ? analysis.others : analysis.contention).push_back(std::move(site));
  }
  for (std::vector<LockSite>* const list : {&analysis.contention, &analysis.others}) {
    std::ranges::stable_sort(*list, [](const LockSite& a, const LockSite& b) {
      return a.total_ns != b.total_ns ? a.total_ns > b.total_ns : a.acquisitions > b.acquisitions;
    });
  }
}

void find_inversions(Analysis& analysis) {
  const Recording& recording = *analysis.recording;
  struct Edge {
    const Thread* thread;
    std::uint64_t first_at, second_at;  // site and stack
    Kind first_kind, second_kind;
    std::set<std::uint64_t> gates;  // what else was held
  };
  using Lock = Place;
  std::map<Lock, std::map<Lock, std::vector<Edge>>> graph;
  constexpr std::size_t kMostEdges = 16;  // of one pair
  for (const Life& life : analysis.lives) {
    const std::vector<Event>& events = life.thread->events;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events[i].type() != Type::order) continue;
      std::vector<Event> held;
      for (std::size_t h = i + 1; h < events.size() && held.size() < events[i].argument &&
                                  events[h].type() == Type::order_held;
           ++h) {
        held.push_back(events[h]);
      }
      for (const Event& first : held) {
        std::vector<Edge>& edges = graph[{life.thread->process, first.object()}]
                                        [{life.thread->process, events[i].object()}];
        if (edges.size() >= kMostEdges) continue;
        Edge edge{life.thread,  first.site_stack, events[i].site_stack,
                  first.kind(), events[i].kind(), {}};
        for (const Event& other : held) {
          if (other.object() != first.object()) edge.gates.insert(other.object());
        }
        edges.push_back(std::move(edge));
      }
    }
  }

  // A cycle of edges, by two threads at least, that no lock held throughout keeps apart. Readers
  // among themselves keep nobody out.
  constexpr std::size_t kLongest = 4;
  constexpr std::size_t kMost = 50;
  std::set<std::set<Lock>> told;
  std::vector<Lock> path;
  std::vector<const Edge*> edges;
  const auto is_possible = [&] {
    std::set<const Thread*> threads;
    std::set<std::uint64_t> common = edges[0]->gates;
    bool writes = false;
    for (const Edge* const edge : edges) {
      threads.insert(edge->thread);
      std::erase_if(common, [&](std::uint64_t gate) { return !edge->gates.contains(gate); });
      writes |= edge->first_kind != Kind::read_lock || edge->second_kind != Kind::read_lock;
    }
    return threads.size() == edges.size() && common.empty() && writes;
  };
  const auto tell = [&] {
    Inversion inversion;
    for (std::size_t i = 0; i < edges.size(); ++i) {
      const Edge& edge = *edges[i];
      const Lock& second = path[(i + 1) % path.size()];
      inversion.steps.push_back(
          {edge.thread->serial,
           object_text(analysis, *edge.thread, path[i].second, edge.first_kind,
                       given_name(recording, edge.thread->process, path[i].second)),
           site_text(recording, *edge.thread, edge.first_at),
           object_text(analysis, *edge.thread, second.second, edge.second_kind,
                       given_name(recording, edge.thread->process, second.second)),
           site_text(recording, *edge.thread, edge.second_at)});
    }
    analysis.inversions.push_back(std::move(inversion));
  };
  const auto visit = [&](const auto& self, const Lock& lock) -> void {
    const auto from = graph.find(lock);
    if (from == graph.end()) return;
    for (const auto& [next, list] : from->second) {
      if (analysis.inversions.size() >= kMost) return;
      const bool closes = next == path.front();
      // Each cycle from its smallest lock on.
      if (!closes && (next < path.front() || path.size() >= kLongest ||
                      std::ranges::find(path, next) != path.end())) {
        continue;
      }
      for (const Edge& edge : list) {
        edges.push_back(&edge);
        if (!closes) {
          path.push_back(next);
          self(self, next);
          path.pop_back();
        } else if (const std::set<Lock> locks(path.begin(), path.end());
                   !told.contains(locks) && is_possible()) {
          told.insert(locks);
          tell();
        }
        edges.pop_back();
      }
    }
  };
  for (const auto& [lock, next] : graph) {
    path = {lock};
    edges.clear();
    visit(visit, lock);
  }
}

}  // namespace thrum::analysis
