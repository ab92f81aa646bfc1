// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A recording: what it holds in memory, and the file that carries it (docs/trace_format.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trace/event.h"

namespace thrum::analysis {

using Json = nlohmann::ordered_json;

/// A file that a process has mapped.
struct Module {
  std::uint64_t bias = 0, low = 0, high = 0;
  std::string path{};
  bool operator==(const Module&) const = default;
};

/// One place in the program: a function as the reader knows it, after inlining is undone.
struct Frame {
  std::string function{};
  std::string file{};
  std::uint32_t line = 0;
  std::string module{};
  bool operator==(const Frame&) const = default;
};

struct Process {
  std::uint32_t serial = 0, pid = 0, parent_pid = 0;
  std::uint64_t born = 0;  // ticks
  std::vector<Module> modules{};
};

struct AcquisitionCount {
  std::uint64_t object_kind = 0, site = 0, n = 0;
};

struct Thread {
  std::uint64_t serial = 0, creator = 0;  // 0 unknown
  std::uint32_t process = 0;              // serial
  std::uint32_t tid = 0;
  std::uint64_t created = 0, started = 0, ended = 0;  // ticks; 0 unknown, or not yet
  std::uint64_t function = 0;
  trace::End end = trace::End::alive;
  std::uint64_t end_detail = 0;
  std::string name{}, text{};
  std::uint64_t lost = 0;
  std::vector<AcquisitionCount> counts{};
  std::vector<trace::Event> events{};
};

/// A thread got a processor, lost it, or ended. Who came next is known on the level of BPF only: a
/// thread of the same process, of another one, or nobody.
struct Switch {
  static constexpr std::uint16_t kOut = 1, kPreempted = 2, kExit = 4;
  static constexpr std::uint16_t kToOwn = 8, kToOther = 16, kToIdle = 32;
  std::uint64_t ns;  // since the recording's start
  std::uint32_t tid;
  std::uint16_t cpu;
  std::uint16_t flags;
};
static_assert(sizeof(Switch) == 16);

/// A queue of this project's library.
struct Queue {
  std::uint32_t id = 0, process = 0;  // serial of the process
  std::uint64_t address = 0;
  std::uint64_t limit = 0;            // 0: none; the last that was seen
  std::uint64_t born = 0, ended = 0;  // ticks; 0 not yet
};

/// How many items a queue held, from then on until the next.
struct Depth {
  std::uint64_t ns;  // since the recording's start
  std::uint32_t queue;
  std::uint32_t items;
};
static_assert(sizeof(Depth) == 16);

/// What an object was called, from some moment on: objects follow each other at one address.
using GivenNames = std::map<std::uint64_t, std::string>;  // by ticks

/// A thread was let go: from here on it wants a processor.
struct Wake {
  std::uint64_t ns;
  std::uint32_t tid;
  std::uint32_t waker;  ///< the thread that was there then
  std::int32_t call;    ///< that it was in; -1: none, so that an interrupt did it
  std::uint32_t unused;
};
static_assert(sizeof(Wake) == 24);

/// What a thread lost its processor for, of its own will: a system call.
struct Sleep {
  std::uint64_t ns;
  std::uint32_t tid;
  std::int32_t call;
  std::uint64_t argument;  ///< the first one: the address of a futex, a descriptor
};
static_assert(sizeof(Sleep) == 24);

/// What the kernel tells of the scheduler's doings, in order of time but for some microseconds.
struct SchedulerRecords {
  std::vector<Switch> switches{};
  std::vector<Wake> wakes{};
  std::vector<Sleep> sleeps{};
};

/// What the kernel counts for a thread, at some moment: running, ready, switches.
struct Schedule {
  std::uint64_t running_ns = 0, ready_ns = 0, voluntary = 0, involuntary = 0;
};

/// A stack, as return addresses from the innermost; by the thread that wrote it and its id there.
using StackId = std::pair<std::uint64_t, std::uint16_t>;
/// An address in a process, by its serial.
using Place = std::pair<std::uint32_t, std::uint64_t>;

struct Recording {
  /// Thirty years: what is later was made up, and sums of it would not be right.
  static constexpr double kLatestNs = 1e18;

  Json meta = Json::object();  // the command, the machine, the level
  Json end = Json::object();   // how it ended; empty if the recording was cut off
  double ns_per_tick = 1;
  std::map<std::uint32_t, Process> processes{};
  std::map<std::uint64_t, Thread> threads{};
  SchedulerRecords scheduler{};
  std::map<std::uint32_t, Schedule> schedules{};  // by thread id
  std::map<StackId, std::vector<std::uint64_t>> stacks{};
  std::map<Place, std::vector<Frame>> places{};  // innermost of what was inlined first
  std::map<Place, std::string> objects{};        // the variables at their addresses
  std::map<Place, GivenNames> names{};           // that they were given
  std::map<std::uint32_t, Queue> queues{};
  std::vector<Depth> depths{};
  std::vector<Json> alarms{};
  std::string cut_off{};  // why the file could not be read to its end; empty if it could

  std::uint64_t ns(std::uint64_t ticks) const {
    const double exact = static_cast<double>(ticks) * ns_per_tick;
    return exact < kLatestNs ? static_cast<std::uint64_t>(exact)
                             : static_cast<std::uint64_t>(kLatestNs);
  }
};

/// A file that is no recording, or of another version.
class NotARecording : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads as much of a recording as there is.
/// Throws  NotARecording, std::system_error
Recording read_recording(const std::string& path);
/// The same, of a file that is open.
/// Throws  NotARecording
Recording read_recording(std::FILE& file);

enum class Chunk : std::uint32_t {
  meta = 1,
  process,
  thread,
  events,
  switches,
  symbols,
  alarm,
  end,
  queue,
  depths,
  wakes = 16,
  sleeps,
};
/// Beside the type of a chunk: what is packed in it is packed as differences, not by zlib.
inline constexpr std::uint32_t kDifferences = 0x100;

/// Writes a recording to a file of its own, 0600, which takes its name when it is complete.
class RecordingWriter {
 public:
  /// Throws  std::system_error
  explicit RecordingWriter(std::string path);
  /// Leaves what was written under the temporary name, if commit() was not called.
  ~RecordingWriter();
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  void write(Chunk type, const Json& json);
  void write(const Process& process);
  void write(const Thread& thread);  // without its events
  void write_events(std::uint64_t thread, std::span<const trace::Event> events);
  void write(const Queue& queue);
  void write(std::span<const Depth> depths);
  void write(const SchedulerRecords& records);

  /// Throws  std::system_error if anything could not be written.
  void commit();
  const std::string& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void write_text(Chunk type, std::string_view text);
  void write_records(Chunk type, std::span<const unsigned char> bytes,
                     std::size_t bytes_of_a_record);
  void write_chunk(std::uint32_t type, std::span<const unsigned char> bytes,
                   std::span<const unsigned char> packed);

  std::string path_;
  std::string temporary_;
  std::FILE* file_ = nullptr;
  std::uint64_t bytes_ = 0;
  int error_ = 0;
};

}  // namespace thrum::analysis
