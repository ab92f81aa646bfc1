// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The queues of this project's library: how many items they held, who waited for them.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/analysis.h"
#include "analysis/places.h"

namespace thrum::analysis {

using trace::Kind;

namespace {

bool is_of_queue(Kind kind) {
  return kind == Kind::queue_get || kind == Kind::queue_put || kind == Kind::queue_join;
}

class Queues {
 public:
  explicit Queues(Analysis& analysis) : analysis_(analysis), recording_(*analysis.recording) {}

  void find() {
    for (const auto& [id, queue] : recording_.queues) begin(queue);
    for (const Depth& depth : recording_.depths) {
      const auto found = by_id_.find(depth.queue);
      if (found == by_id_.end()) continue;
      QueueUse& use = analysis_.queues[found->second];
      use.depth.push_back({std::clamp(depth.ns, use.begin, use.end), depth.items});
    }
    for (const Life& life : analysis_.lives) {
      for (const Wait& wait : life.waits) {
        if (is_of_queue(wait.kind)) add(life, wait);
      }
    }
    for (QueueUse& use : analysis_.queues) {
      sum(use);
      if (!use.name.empty()) continue;  // nobody waited for it
      const auto variable = recording_.objects.find({use.process, use.object});
      use.name = variable != recording_.objects.end() ? variable->second
                                                      : fmt::format("{:#x}", use.object);
    }
    std::ranges::stable_sort(analysis_.queues, std::ranges::greater{}, [](const QueueUse& use) {
      return use.get.total_ns + use.put.total_ns;
    });
  }

 private:
  void begin(const Queue& queue) {
    QueueUse use;
    use.process = queue.process;
    use.object = queue.address;
    use.limit = queue.limit;
    use.begin = std::min(recording_.ns(queue.born), analysis_.end);
    use.end = queue.ended != 0 ? recording_.ns(queue.ended) : analysis_.end;
    use.end = std::clamp(use.end, use.begin, std::max(use.begin, analysis_.end));
    if (const std::string* const given =
            given_name(recording_, queue.process, queue.address, use.end)) {
      use.name = *given;
    }
    by_id_[queue.id] = analysis_.queues.size();
    at_[{queue.process, queue.address}].push_back(analysis_.queues.size());
    analysis_.queues.push_back(std::move(use));
  }

  // The queue that was there at that moment; a new one if nobody told of it, as in the child of a
  // fork.
  QueueUse& of(const Life& life, const Wait& wait) {
    std::vector<std::size_t>& there = at_[{life.thread->process, wait.object}];
    for (const std::size_t i : there) {
      QueueUse& use = analysis_.queues[i];
      if (use.begin <= wait.begin && wait.begin <= use.end) return use;
    }
    there.push_back(analysis_.queues.size());
    QueueUse use;
    use.process = life.thread->process;
    use.object = wait.object;
    use.end = analysis_.end;
    return analysis_.queues.emplace_back(std::move(use));
  }

  void add(const Life& life, const Wait& wait) {
    QueueUse& use = of(life, wait);
    if (use.name.empty()) {
      std::string name = object_text(analysis_, *life.thread, wait.object, wait.kind, wait.given);
      const std::string_view verb = verb_of(wait.kind), kind = name_of(wait.kind);
      name.resize(name.size() - verb.size());
      use.name = name.starts_with(kind) && !name.starts_with("queue at ")
                     ? name.substr(kind.size() + 1)
                     : name;
    }
    QueueUse::Waits& waits = wait.kind == Kind::queue_get   ? use.get
                             : wait.kind == Kind::queue_put ? use.put
                                                            : use.join;
    ++waits.n;
    waits.total_ns += wait.end - wait.begin;
    waits.max_ns = std::max(waits.max_ns, wait.end - wait.begin);
    // Who waits to get found nothing, who waits to put found it full.
    if (wait.kind == Kind::queue_get) use.depth.push_back({wait.begin, 0});
    if (wait.kind == Kind::queue_put && use.limit != 0)
      use.depth.push_back({wait.begin, use.limit});
  }

  void sum(QueueUse& use) const {
    std::ranges::stable_sort(use.depth, {}, &QueueUse::Point::ns);
    if (use.depth.empty()) return;
    use.least = use.most = use.depth[0].items;
    double area = 0;
    for (std::size_t i = 0; i < use.depth.size(); ++i) {
      const QueueUse::Point& point = use.depth[i];
      const std::uint64_t until = i + 1 < use.depth.size() ? use.depth[i + 1].ns : use.end;
      if (until > point.ns)
        area += static_cast<double>(until - point.ns) * static_cast<double>(point.items);
      use.least = std::min(use.least, point.items);
      use.most = std::max(use.most, point.items);
    }
    const std::uint64_t first = use.depth[0].ns;
    use.mean = use.end > first ? area / static_cast<double>(use.end - first)
                               : static_cast<double>(use.depth.back().items);
  }

  Analysis& analysis_;
  const Recording& recording_;
  std::map<std::uint32_t, std::size_t> by_id_;
  std::map<Place, std::vector<std::size_t>> at_;
};

}  // namespace

void find_queues(Analysis& analysis) { Queues(analysis).find(); }

}  // namespace thrum::analysis
