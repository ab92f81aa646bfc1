// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Reads the memory of observed processes as they write it, and passes it on to a recording. What it
// reads may be anything: a process may have written over it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/names.h"
#include "analysis/place_set.h"
#include "analysis/recording.h"
#include "analysis/shared_memory.h"
#include "analysis/symbols.h"

namespace thrum::analysis {

/// What a thread is doing at this moment, for the wait-for graph.
struct Moment {
  struct Hold {
    std::uint64_t object_kind, site_stack;
  };
  std::uint64_t thread = 0;   // serial
  std::uint32_t process = 0;  // serial
  std::uint32_t pid = 0, tid = 0;
  std::uint64_t pthread = 0;
  std::uint64_t waits_for = 0, waits_at = 0, waits_since = 0, waits_argument = 0;
  std::vector<Hold> holds{};
};

/// How many items a queue of this project's library held when it was last looked at.
struct QueueLook {
  std::uint32_t process = 0;  ///< serial
  std::uint64_t address = 0;
  std::uint64_t items = 0, limit = 0;  ///< limit 0: none
};

class Collector final : public Names {
 public:
  Collector(SharedMemory& memory, RecordingWriter& writer);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// Reads all that is new. Returns how full the fullest ring was, 0 to 1.
  double drain();
  /// Says how the process that was started ended; the others tell themselves. Drains first.
  void process_ended(std::uint32_t pid, trace::End how, std::uint64_t detail);
  /// Looks for processes that are gone, and frees what they used.
  void reap();
  /// Ends every thread that is left.
  void end_all();
  /// Returns what every live thread does.
  std::vector<Moment> moments() const;

  /// Looks how many items are in each queue; nothing without queues. Returns whether there are any.
  bool sample_queues(std::uint64_t now_ns);
  /// Returns what was seen of them.
  std::vector<QueueLook> queues() const;

  /// Looks for names that threads were given, and for files that were mapped, since the last time.
  void refresh();

  /// What threads slept on, by thread id and address, is named as well. An id that was used twice
  /// has it looked up in both processes: a variable that only one of them has got.
  void add_objects(const std::set<Place>& slept_on);
  /// Names what was recorded, and writes the names.
  void write_symbols();
  std::vector<Frame> frames(std::uint64_t thread, std::uint64_t site_stack) override;
  std::string variable(std::uint32_t process, std::uint64_t address) override;
  const Thread* thread(std::uint64_t serial) const override;

  std::uint64_t events() const { return events_; }
  /// Returns how many were written by threads, raw ones included, and read.
  std::uint64_t events_read() const { return events_read_; }
  std::uint64_t lost() const { return lost_; }
  std::size_t processes() const { return known_processes_; }

 private:
  struct Mapped;    // an observed process
  struct Slot;      // what we know of a slot
  struct Snapshot;  // a stack as it was written
  struct LiveQueue;

  void find_processes();
  void count_slots();
  void refresh_names();
  void watch_maps();
  void read_modules(Mapped& process);
  void read_maps(Mapped& process);
  void drain_slot(std::uint32_t index, double& fullest);
  void take_events(Slot& slot, std::uint32_t index, std::uint64_t head);
  void take(Slot& slot, const trace::Event& event);
  void take_raw(Slot& slot);
  void give_name(const Slot& slot);
  void begin_queue(const Slot& slot);
  void end_queue(std::uint32_t process, std::uint64_t address, std::uint64_t when);
  void end_queues(std::uint32_t process, std::uint64_t when);
  void write_depths();
  void write_fresh(Slot& slot);
  void identify(Slot& slot, std::uint32_t index);
  void finish(std::uint32_t index, trace::End how, std::uint64_t detail);
  void free_slot(std::uint32_t index);
  void end_process(std::uint32_t entry, trace::End how, std::uint64_t detail);
  Symbols& symbols(Mapped& process);
  Mapped* mapped(std::uint32_t serial);
  const std::vector<std::uint64_t>& unwound(StackId id);

  SharedMemory& memory_;
  RecordingWriter& writer_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<Mapped>> entries_;  // by index; null if not in use
  std::map<std::uint32_t, std::unique_ptr<Mapped>> gone_;
  std::map<std::uint64_t, Thread> threads_;  // all; without events
  std::map<StackId, Snapshot> snapshots_;
  std::map<StackId, std::vector<std::uint64_t>> unwound_;
  PlaceSet places_, objects_;
  std::map<Place, GivenNames> names_;
  std::map<Place, LiveQueue> queues_;
  std::vector<Depth> fresh_depths_;
  std::uint32_t last_queue_ = 0;
  std::uint32_t used_slots_ = 0;
  std::uint64_t events_ = 0, events_read_ = 0, lost_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  std::size_t known_processes_ = 0;
};

}  // namespace thrum::analysis
