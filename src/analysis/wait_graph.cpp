// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/wait_graph.h"

#include <sys/uio.h>

#include <algorithm>

namespace thrum::analysis {

using trace::Event;
using trace::Kind;

namespace {

Event as_event(std::uint64_t object_kind) { return {0, object_kind, 0, 0}; }

// Returns where `moment` took the object; nullptr if it does not hold it.
const Moment::Hold* held(const Moment& moment, std::uint64_t object) {
  for (const Moment::Hold& hold : moment.holds) {
    if (as_event(hold.object_kind).object() == object) return &hold;
  }
  return nullptr;
}

}  // namespace

bool read_words(std::uint32_t pid, std::uint64_t address, std::uint32_t* words, std::size_t n) {
  iovec to{words, n * sizeof *words};
  iovec from{reinterpret_cast<void*>(address), n * sizeof *words};
  return process_vm_readv(static_cast<pid_t>(pid), &to, 1, &from, 1, 0) ==
         static_cast<ssize_t>(n * sizeof *words);
}

std::vector<std::uint64_t> WaitGraph::holders(const Moment& moment,
                                              const std::vector<Moment>& moments) const {
  const Event wait = as_event(moment.waits_for);
  if (moment.waits_for == 0 || (wait.flags() & trace::kTimed) != 0) return {};
  const auto by_tid = [&](std::uint32_t tid) -> std::vector<std::uint64_t> {
    for (const Moment& other : moments) {
      if (tid != 0 && other.tid == tid) return {other.thread};
    }
    return {};
  };
  switch (wait.kind()) {
    case Kind::mutex: {
      // glibc: the word, the depth of a recursive mutex, the holder.
      std::uint32_t words[3] = {};
      if (!read_(moment.pid, wait.object(), words, 3)) return {};
      return words[0] == 0 ? std::vector<std::uint64_t>{} : by_tid(words[2]);
    }
    case Kind::read_lock:
    case Kind::write_lock: {
      std::vector<std::uint64_t> all;
      for (const Moment& other : moments) {
        const Moment::Hold* const hold = held(other, wait.object());
        if (hold == nullptr || other.process != moment.process) continue;
        // A reader waits for a writer, a writer for everybody.
        if (wait.kind() == Kind::write_lock ||
            as_event(hold->object_kind).kind() == Kind::write_lock) {
          all.push_back(other.thread);
        }
      }
      return all;
    }
    case Kind::join:
      for (const Moment& other : moments) {
        if (other.process == moment.process && other.pthread == wait.object()) {
          return {other.thread};
        }
      }
      return {};
    case Kind::lock:
    case Kind::futex: {
      // The layout of a PI futex, and of this project's Lock: the holder in the low 30 bits, and a
      // bit that somebody sleeps.
      std::uint32_t word = 0;
      if (!read_(moment.pid, wait.object(), &word, 1) || (word >> 31) == 0) return {};
      std::vector<std::uint64_t> holder = by_tid(word & 0x3fffffff);
      for (const Moment& other : moments) {
        if (!holder.empty() && other.thread == holder[0] && other.process == moment.process) {
          return holder;
        }
      }
      return {};
    }
    default:
      return {};
  }
}

std::vector<Cycle> WaitGraph::look(const std::vector<Moment>& moments) {
  std::map<std::uint64_t, const Moment*> by_serial;
  std::map<std::uint64_t, std::vector<std::uint64_t>> edges;
  for (const Moment& moment : moments) {
    by_serial[moment.thread] = &moment;
    edges[moment.thread] = holders(moment, moments);
  }
  // Depth first, from each thread in turn; a way back into the path is a cycle.
  std::set<std::uint64_t> done;
  std::vector<std::vector<std::uint64_t>> cycles;
  std::vector<std::uint64_t> path;
  const std::function<void(std::uint64_t)> visit = [&](std::uint64_t serial) {
    const auto on_path = std::ranges::find(path, serial);
    if (on_path != path.end()) {
      cycles.emplace_back(on_path, path.end());
      return;
    }
    if (!done.insert(serial).second) return;
    path.push_back(serial);
    for (const std::uint64_t next : edges[serial]) {
      if (by_serial.contains(next)) visit(next);
    }
    path.pop_back();
  };
  for (const auto& [serial, moment] : by_serial) visit(serial);

  std::vector<Cycle> found;
  auto seen = std::move(seen_);
  seen_.clear();
  for (const std::vector<std::uint64_t>& serials : cycles) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> key;
    for (const std::uint64_t serial : serials) {
      key.emplace_back(serial, by_serial[serial]->waits_since);
    }
    std::ranges::sort(key);
    seen_.insert(key);
    if (!seen.contains(key) || !told_.insert(key).second) continue;
    Cycle cycle;
    for (std::size_t i = 0; i < serials.size(); ++i) {
      const Moment& thread = *by_serial[serials[i]];
      const Moment& before = *by_serial[serials[(i + serials.size() - 1) % serials.size()]];
      const Moment::Hold* const hold = held(thread, as_event(before.waits_for).object());
      cycle.push_back({thread, hold != nullptr ? hold->site_stack : 0});
    }
    found.push_back(std::move(cycle));
  }
  return found;
}

}  // namespace thrum::analysis
