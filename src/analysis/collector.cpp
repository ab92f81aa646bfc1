// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/collector.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "analysis/collector_state.h"
#include "analysis/procfs.h"
#include "trace/shared.h"

namespace thrum::analysis {

using trace::End;
using trace::Event;
using trace::Type;

namespace {

// Stacks of a program that makes ever new ones are not kept without end.
constexpr std::uint64_t kMostSnapshotBytes = 256u << 20;

// Packing costs as much for one event as for some hundred.
constexpr std::size_t kEventsTogether = 1024;

std::string text_of(const char* from, std::size_t size) { return {from, strnlen(from, size)}; }

}  // namespace

Collector::Collector(SharedMemory& memory, RecordingWriter& writer)
    : memory_(memory), writer_(writer), slots_(trace::kSlots), entries_(trace::kProcesses) {}

Collector::~Collector() = default;

double Collector::drain() {
  find_processes();
  count_slots();
  double fullest = 0;
  for (std::uint32_t i = 0; i < used_slots_; ++i) drain_slot(i, fullest);
  return fullest;
}

// Behind the furthest slot that anybody took, none was touched: looking there would make memory.
void Collector::count_slots() {
  // relaxed: what is missed is there the next time
  used_slots_ = std::min(memory_->header.slots_used.load(std::memory_order_relaxed), trace::kSlots);
}

void Collector::find_processes() {
  for (std::uint32_t i = 0; i < trace::kProcesses; ++i) {
    trace::Process& entry = memory_->processes[i];
    if (entry.life.load(std::memory_order_acquire) != trace::kLive) {  // [life]
      // They are taken in order: behind one that never was used are no others.
      if (entry.serial == 0 && entries_[i] == nullptr) break;
      continue;
    }
    if (entries_[i] == nullptr) {
      auto process = std::make_unique<Mapped>();
      process->entry = i;
      process->info.serial = entry.serial;
      process->info.pid = entry.pid;
      process->info.parent_pid = entry.parent_pid;
      process->info.born = entry.born;
      process->handle.open(entry.pid);
      ++known_processes_;
      // The same id again: it became another program.
      for (std::uint32_t other = 0; other < trace::kProcesses; ++other) {
        if (entries_[other] != nullptr && entries_[other]->info.pid == entry.pid) {
          end_process(other, End::exec, 0);
        }
      }
      entries_[i] = std::move(process);
    }
    read_modules(*entries_[i]);
  }
}

void Collector::read_modules(Mapped& process) {
  trace::Process& entry = memory_->processes[process.entry];
  const std::uint32_t bytes = std::min(entry.modules_bytes.load(std::memory_order_acquire),
                                       trace::kModuleBytes);  // [modules]
  if (bytes <= process.module_bytes) return;
  std::uint32_t at = process.module_bytes;
  process.module_bytes = bytes;
  while (at + sizeof(trace::ModuleHead) <= bytes) {
    trace::ModuleHead head;
    std::memcpy(&head, entry.modules + at, sizeof head);
    at += static_cast<std::uint32_t>(sizeof head);
    if (head.path_bytes > bytes - at) break;
    const std::string path =
        text_of(reinterpret_cast<const char*>(entry.modules + at), head.path_bytes);
    at += head.path_bytes;
    process.info.modules.push_back({head.bias, head.low, head.high, path});
  }
  process.symbols.reset();
  writer_.write(process.info);
}

// What dlopen() brought later: the process's own list is of its start.
void Collector::read_maps(Mapped& process) {
  const std::size_t before = process.info.modules.size();
  for (Module& module : modules_of(static_cast<pid_t>(process.info.pid))) {
    auto& modules = process.info.modules;
    if (std::ranges::find(modules, module.path, &Module::path) == modules.end()) {
      modules.push_back(std::move(module));
    }
  }
  if (process.info.modules.size() == before) return;
  process.symbols.reset();
  writer_.write(process.info);
}

void Collector::identify(Slot& slot, std::uint32_t index) {
  const trace::Slot& shared = memory_->slots[index];
  Thread& thread = *slot.thread;
  thread.tid = shared.tid.get();
  thread.started = shared.started;
  slot.pthread = shared.pthread.get();
  thread.name = text_of(shared.name, sizeof shared.name);
}

void Collector::drain_slot(std::uint32_t index, double& fullest) {
  trace::Slot& shared = memory_->slots[index];
  const std::uint32_t life = shared.life.load(std::memory_order_acquire);  // [life]
  Slot& slot = slots_[index];
  if (slot.thread != nullptr && slot.thread->serial != shared.serial) slot = {};  // never started
  if (life == trace::kFree || life == trace::kTaken) return;
  if (slot.thread == nullptr) {
    const std::uint32_t entry = shared.process;
    if (entry >= trace::kProcesses || entries_[entry] == nullptr) return;  // seen next time
    Thread& thread = threads_[shared.serial];
    if (thread.serial != 0) return;  // a serial that was given twice: not by us
    thread.serial = shared.serial;
    thread.creator = shared.creator;
    thread.process = entries_[entry]->info.serial;
    thread.created = shared.created;
    thread.function = shared.function & trace::kAddressMask;
    slot.thread = &thread;
    slot.entry = entry;
    slot.tail = shared.tail.load(std::memory_order_relaxed);
    writer_.write(thread);
  }
  if (life != trace::kNew && slot.thread->tid == 0) {
    identify(slot, index);
    writer_.write(*slot.thread);
  }
  const std::uint64_t head = shared.head.load(std::memory_order_acquire);  // [events]
  if (head != slot.tail) {
    if (head - slot.tail > trace::kRingEvents) {
      slot.tail = head;  // somebody wrote where nobody may
    } else {
      fullest = std::max(fullest, static_cast<double>(head - slot.tail) / trace::kRingEvents);
      take_events(slot, index, head);
    }
    shared.tail.store(slot.tail, std::memory_order_release);  // [room]
  }
  if (life == trace::kEnded) {
    finish(index, shared.end <= static_cast<End>(trace::kLastEnd) ? shared.end : End::returned,
           shared.end_detail);
    free_slot(index);
  }
}

void Collector::take_events(Slot& slot, std::uint32_t index, std::uint64_t head) {
  const Event* const ring = memory_->rings[index];
  events_read_ += head - slot.tail;
  for (; slot.tail != head; ++slot.tail) take(slot, ring[slot.tail % trace::kRingEvents]);
  if (slot.fresh.size() >= kEventsTogether) write_fresh(slot);
}

void Collector::write_fresh(Slot& slot) {
  if (slot.fresh.empty()) return;
  writer_.write_events(slot.thread->serial, slot.fresh);
  events_ += slot.fresh.size();
  slot.fresh.clear();
}

void Collector::take_raw(Slot& slot) {
  switch (slot.of.type()) {
    case Type::stack: {
      if (snapshot_bytes_ >= kMostSnapshotBytes) break;
      Snapshot& snapshot = snapshots_[{slot.thread->serial, slot.of.stack()}];
      snapshot_bytes_ += slot.raw.size();
      snapshot.site = slot.of.site();
      std::memcpy(&snapshot.registers, slot.raw.data(), sizeof snapshot.registers);
      snapshot.bytes.assign(slot.raw.begin() + sizeof snapshot.registers, slot.raw.end());
      break;
    }
    case Type::named:
      give_name(slot);
      break;
    default:
      begin_queue(slot);
      break;
  }
}

void Collector::take(Slot& slot, const Event& event) {
  if (slot.raw_left != 0) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(&event);
    slot.raw.insert(slot.raw.end(), bytes, bytes + sizeof event);
    if (--slot.raw_left == 0) take_raw(slot);
    return;
  }
  const auto bytes_follow = [&](std::uint64_t bytes) {
    slot.of = event;
    slot.raw_left = (bytes + sizeof event - 1) / sizeof event;
    slot.raw.clear();
  };
  switch (event.type()) {
    case Type::stack:
      return bytes_follow(sizeof(trace::Registers) +
                          std::min<std::uint64_t>(event.argument, trace::kMaxStackBytes));
    case Type::named:
      return bytes_follow(std::min<std::uint64_t>(event.argument, trace::kMaxNameBytes));
    case Type::queue_new:
      return bytes_follow(sizeof(trace::Counts));
    case Type::object_ended:
      end_queue(slot.thread->process, event.object(), event.when());
      break;
    default:
      break;
  }
  if (static_cast<std::uint8_t>(event.type()) > trace::kLastType ||
      static_cast<std::uint8_t>(event.kind()) > trace::kLastKind) {
    return;
  }
  if (event.type() == Type::wait_begin || event.type() == Type::wait_end)
    slot.waits = event.type() == Type::wait_begin;
  slot.fresh.push_back(event);
  if (event.type() == Type::wait_end) return;  // its places are known since it began
  if (event.site() != 0) places_.insert({slot.thread->process, event.site()});
  if (event.type() == Type::thread_new) {
    places_.insert({slot.thread->process, event.object() + 1});
  } else if (event.object() != 0) {
    objects_.insert({slot.thread->process, event.object()});
  }
}

// Writes all that is known of a thread which has ended.
void Collector::finish(std::uint32_t index, End how, std::uint64_t detail) {
  Slot& slot = slots_[index];
  trace::Slot& shared = memory_->slots[index];
  Thread& thread = *slot.thread;
  // What it waits for at its end was not written if the recorder rested, or the ring was full.
  const std::uint64_t waits_for = shared.waits_for.load(std::memory_order_acquire);  // [events]
  if (waits_for != 0 && !slot.waits) {
    take(slot, {shared.waits_since.get() << 8 | static_cast<std::uint8_t>(Type::wait_begin),
                waits_for, shared.waits_at.get(), shared.waits_argument.get()});
  }
  write_fresh(slot);
  if (thread.started == 0) identify(slot, index);
  thread.ended = shared.ended;
  if (thread.ended == 0) {
    thread.ended = trace::ticks(memory_->header.clock) - memory_->header.origin;
  }
  thread.end = how;
  thread.end_detail = detail;
  const std::string name = text_of(shared.name, sizeof shared.name);
  if (!name.empty()) thread.name = name;
  thread.text = text_of(shared.text, sizeof shared.text);
  thread.lost = shared.lost.get();
  lost_ += thread.lost;
  for (const trace::Count& count : shared.counts) {
    const AcquisitionCount row{count.object_kind.get(), count.site.get(), count.n.get()};
    if (row.n != 0) thread.counts.push_back(row);
  }
  writer_.write(thread);
}

void Collector::free_slot(std::uint32_t index) {
  trace::Slot& shared = memory_->slots[index];
  if (shared.head.load(std::memory_order_relaxed) >= trace::kRingEvents / 4)
    memory_.forget_ring(index);
  shared.serial = 0;
  shared.held_n.set(0);
  shared.waits_for.store(0, std::memory_order_relaxed);
  shared.lost.set(0);
  shared.head.store(0, std::memory_order_relaxed);
  shared.tail.store(0, std::memory_order_relaxed);
  for (trace::Count& count : shared.counts) {
    count.object_kind.set(0);
    count.site.set(0);
    count.n.set(0);
  }
  slots_[index] = {};
  shared.life.store(trace::kFree, std::memory_order_release);  // [life]
  // The lowest is used first, so that the memory that is touched stays small.
  if (memory_->header.slot_hint.load(std::memory_order_relaxed) > index) {
    memory_->header.slot_hint.store(index, std::memory_order_relaxed);
  }
}

void Collector::end_process(std::uint32_t entry, End how, std::uint64_t detail) {
  if (entries_[entry] == nullptr) return;
  count_slots();
  double fullest = 0;
  for (std::uint32_t i = 0; i < used_slots_; ++i) {
    // Also those that were taken since the last look.
    const bool is_its =
        slots_[i].thread != nullptr ? slots_[i].entry == entry : memory_->slots[i].process == entry;
    if (!is_its) continue;
    drain_slot(i, fullest);
    if (slots_[i].thread == nullptr) continue;  // free, or it had ended before
    finish(i, how, detail);
    free_slot(i);
  }
  const std::unique_ptr<Mapped> process = std::move(entries_[entry]);
  trace::Process& shared = memory_->processes[entry];
  shared.modules_bytes.store(0, std::memory_order_relaxed);
  shared.life.store(trace::kFree, std::memory_order_release);  // [life]
  const std::uint32_t serial = process->info.serial;
  end_queues(serial, trace::ticks(memory_->header.clock) - memory_->header.origin);
  process->handle.close();
  gone_[serial] = std::make_unique<Mapped>(std::move(*process));
}

void Collector::process_ended(std::uint32_t pid, End how, std::uint64_t detail) {
  drain();
  for (std::uint32_t i = 0; i < trace::kProcesses; ++i) {
    if (entries_[i] != nullptr && entries_[i]->info.pid == pid) end_process(i, how, detail);
  }
}

void Collector::reap() {
  for (std::uint32_t i = 0; i < trace::kProcesses; ++i) {
    if (entries_[i] == nullptr || !entries_[i]->handle.is_gone()) continue;
    find_processes();  // what it wrote before it went
    end_process(i, End::process, 0);
  }
}

void Collector::end_all() {
  drain();
  for (std::uint32_t i = 0; i < trace::kProcesses; ++i) end_process(i, End::alive, 0);
}

std::vector<Moment> Collector::moments() const {
  std::vector<Moment> all;
  for (std::uint32_t i = 0; i < used_slots_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.thread == nullptr || slot.thread->tid == 0 || entries_[slot.entry] == nullptr) {
      continue;
    }
    const trace::Slot& shared = memory_->slots[i];
    Moment moment{slot.thread->serial,
                  slot.thread->process,
                  entries_[slot.entry]->info.pid,
                  slot.thread->tid,
                  slot.pthread,
                  shared.waits_for.load(std::memory_order_acquire),  // [events]
                  shared.waits_at.get(),
                  shared.waits_since.get(),
                  shared.waits_argument.get()};
    const std::uint32_t held = std::min(shared.held_n.get(), trace::kHeld);
    for (std::uint32_t h = 0; h < held; ++h) {
      moment.holds.push_back({shared.held[h].object_kind.get(), shared.held[h].site_stack.get()});
    }
    all.push_back(std::move(moment));
  }
  return all;
}

const Thread* Collector::thread(std::uint64_t serial) const {
  const auto found = threads_.find(serial);
  return found != threads_.end() ? &found->second : nullptr;
}

void Collector::refresh_names() {
  for (std::uint32_t i = 0; i < used_slots_; ++i) {
    Slot& slot = slots_[i];
    if (slot.thread == nullptr || slot.thread->tid == 0 || entries_[slot.entry] == nullptr)
      continue;
    const std::string name = comm_of(static_cast<pid_t>(entries_[slot.entry]->info.pid),
                                     static_cast<pid_t>(slot.thread->tid));
    trace::Slot& shared = memory_->slots[i];
    if (name.empty() || name == text_of(shared.name, sizeof shared.name)) continue;
    std::memset(shared.name, 0, sizeof shared.name);
    std::memcpy(shared.name, name.data(), std::min(name.size(), sizeof shared.name - 1));
    slot.thread->name = name;
  }
}

}  // namespace thrum::analysis
