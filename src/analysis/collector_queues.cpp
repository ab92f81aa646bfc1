// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What the library says of its objects: their names, and the queues whose depth is looked at, from
// outside, while they live. What it says where a number is may be wrong: what cannot be read, or
// does not fit together, is passed over.
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "analysis/collector.h"
#include "analysis/collector_state.h"
#include "analysis/shared_memory.h"
#include "trace/shared.h"

namespace thrum::analysis {
namespace {

constexpr std::size_t kMostQueues = 256;
constexpr std::size_t kMostNames = 65536;
constexpr std::size_t kDepthsTogether = 1024;
// More items than fit into any memory: what was read is no queue.
constexpr std::uint64_t kMostItems = std::uint64_t{1} << 32;

using Where = trace::Counts::Where;

struct Number {
  std::uint64_t at;
  std::uint64_t value = 0;
  bool is_known = false;
};

// Reads many numbers of a process in few calls.
void read_all(std::uint32_t pid, std::span<Number> numbers) {
  constexpr std::size_t kTogether = 64;
  while (!numbers.empty()) {
    const std::size_t n = std::min(kTogether, numbers.size());
    std::array<iovec, kTogether> from{};
    for (std::size_t i = 0; i < n; ++i) {
      from[i] = {reinterpret_cast<void*>(numbers[i].at), sizeof(std::uint64_t)};
    }
    std::array<std::uint64_t, kTogether> values{};
    iovec to{values.data(), n * sizeof(std::uint64_t)};
    const ssize_t bytes = process_vm_readv(static_cast<pid_t>(pid), &to, 1, from.data(), n, 0);
    const std::size_t got = bytes < 0 ? 0 : static_cast<std::size_t>(bytes) / sizeof values[0];
    for (std::size_t i = 0; i < got; ++i) {
      numbers[i].value = values[i];
      numbers[i].is_known = true;
    }
    // It stops where it cannot read: that one is left out.
    numbers = numbers.subspan(std::min(numbers.size(), got < n ? got + 1 : n));
  }
}

// The numbers of one count: the pointer to its block, or the count itself; then those of the block.
constexpr std::size_t kOfBlock = 5;
std::array<Number, kOfBlock> of_block(const Where& where, std::uint64_t block) {
  std::array<Number, kOfBlock> numbers{{{block + where.position}}};
  for (std::size_t i = 1; i < kOfBlock; ++i) {
    numbers[i].at = block + where.numbers + (i - 1) * sizeof(std::uint64_t);
  }
  return numbers;
}

// Returns whether they fit together.
bool count_of(std::span<const Number> numbers, std::uint64_t& count) {
  for (const Number& number : numbers) {
    if (!number.is_known) return false;
  }
  const std::uint64_t capacity = numbers[1].value, closed = numbers[2].value,
                      lap = numbers[3].value, base = numbers[4].value;
  if (closed == 0 || (closed & (closed - 1)) != 0 || lap != 2 * closed || capacity > closed)
    return false;
  const std::uint64_t position = numbers[0].value & ~closed;
  count = base + position / lap * capacity + (position & (closed - 1));
  return true;
}

}  // namespace

void Collector::give_name(const Slot& slot) {
  if (names_.size() >= kMostNames) return;
  const std::size_t size = std::min({static_cast<std::size_t>(slot.of.argument), slot.raw.size(),
                                     std::size_t{trace::kMaxNameBytes}});
  const auto* const text = reinterpret_cast<const char*>(slot.raw.data());
  GivenNames& names = names_[{slot.thread->process, slot.of.object()}];
  // Each wait may tell it again.
  const std::string name(text, strnlen(text, size));
  if (names.empty() || names.rbegin()->second != name) names[slot.of.when()] = name;
}

void Collector::begin_queue(const Slot& slot) {
  const Place place{slot.thread->process, slot.of.object()};
  end_queue(place.first, place.second, slot.of.when());
  if (queues_.size() >= kMostQueues) return;
  objects_.insert(place);
  LiveQueue& queue = queues_[place];
  queue.info.id = ++last_queue_;
  queue.info.process = place.first;
  queue.info.address = place.second;
  queue.info.born = slot.of.when();
  queue.pid = entries_[slot.entry]->info.pid;
  queue.limit_at = slot.of.argument;
  std::memcpy(&queue.counts, slot.raw.data(), sizeof queue.counts);
  writer_.write(queue.info);
}

void Collector::end_queue(std::uint32_t process, std::uint64_t address, std::uint64_t when) {
  const auto found = queues_.find({process, address});
  if (found == queues_.end()) return;
  found->second.info.ended = when;
  writer_.write(found->second.info);
  queues_.erase(found);
}

void Collector::end_queues(std::uint32_t process, std::uint64_t when) {
  for (auto at = queues_.lower_bound({process, 0});
       at != queues_.end() && at->first.first == process;) {
    const Place place = at->first;
    ++at;
    end_queue(place.first, place.second, when);
  }
  write_depths();
}

bool Collector::sample_queues(std::uint64_t now_ns) {
  for (auto first = queues_.begin(); first != queues_.end();) {
    const std::uint32_t pid = first->second.pid;
    std::vector<LiveQueue*> queues;
    for (; first != queues_.end() && first->second.pid == pid; ++first) {
      queues.push_back(&first->second);
    }
    // Three numbers of each; then those of the blocks that they point at.
    std::vector<Number> heads, blocks;
    for (const LiveQueue* const queue : queues) {
      heads.push_back({queue->counts.gets.at});  // first: they never overtake the puts
      heads.push_back({queue->counts.puts.at});
      heads.push_back({queue->limit_at});
    }
    read_all(pid, heads);
    for (std::size_t i = 0; i < queues.size(); ++i) {
      if (!queues[i]->in_blocks()) continue;
      const trace::Counts& counts = queues[i]->counts;
      for (const auto& [where, head] :
           {std::pair(counts.gets, heads[3 * i]), std::pair(counts.puts, heads[3 * i + 1])}) {
        const auto numbers = of_block(where, head.value);
        blocks.insert(blocks.end(), numbers.begin(), numbers.end());
      }
    }
    read_all(pid, blocks);
    std::span<const Number> rest = blocks;
    for (std::size_t i = 0; i < queues.size(); ++i) {
      LiveQueue& queue = *queues[i];
      std::uint64_t gets = heads[3 * i].value, puts = heads[3 * i + 1].value;
      bool known = heads[3 * i].is_known && heads[3 * i + 1].is_known && heads[3 * i + 2].is_known;
      if (queue.in_blocks()) {
        known = known && count_of(rest.first(kOfBlock), gets) &&
                count_of(rest.subspan(kOfBlock, kOfBlock), puts);
        rest = rest.subspan(2 * kOfBlock);
      }
      const std::uint64_t items = puts - gets;
      if (!known || items > kMostItems) continue;
      queue.info.limit = heads[3 * i + 2].value;
      if (items == queue.items) continue;
      queue.items = items;
      fresh_depths_.push_back({now_ns, queue.info.id, static_cast<std::uint32_t>(items)});
    }
  }
  if (fresh_depths_.size() >= kDepthsTogether) write_depths();
  return !queues_.empty();
}

std::vector<QueueLook> Collector::queues() const {
  std::vector<QueueLook> found;
  for (const auto& [place, queue] : queues_) {
    if (queue.items == LiveQueue::kNotSeen) continue;
    found.push_back({place.first, place.second, queue.items, queue.info.limit});
  }
  return found;
}

void Collector::write_depths() {
  if (fresh_depths_.empty()) return;
  writer_.write(std::span<const Depth>(fresh_depths_));
  fresh_depths_.clear();
}

}  // namespace thrum::analysis
