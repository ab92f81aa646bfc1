// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Reads files that may be cut off, damaged, or made to harm: every size is checked before it is
// used, and what is wrong ends the reading, not the program.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "analysis/differences.h"
#include "analysis/recording.h"

namespace thrum::analysis {
namespace {

constexpr std::uint32_t kLargestChunk = 64u << 20;
constexpr std::size_t kLargestText = 4096;
constexpr int kDeepest = 16;

// What ends the reading; the message goes to Recording::cut_off.
class Damaged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

struct ChunkBytes {
  Chunk type{};
  std::vector<unsigned char> bytes{};
};

// Returns false at the end of the file.
bool read_chunk(std::FILE* file, ChunkBytes& chunk) {
  std::uint32_t head[3] = {};
  const std::size_t got = std::fread(head, 1, sizeof head, file);
  if (got == 0 && std::feof(file) != 0) return false;
  if (got != sizeof head) throw Damaged("it ends in the middle of a chunk");
  const auto [type, stored, size] = head;
  if (stored > kLargestChunk || size > kLargestChunk || stored > size) {
    throw Damaged("a chunk is larger than any that is written");
  }
  // Deflate makes at most 1032 bytes of one (zlib's technical notes): who says more wants memory.
  if (size > 0 && size / 1040 > stored) throw Damaged("a chunk cannot be unpacked");
  chunk.type = static_cast<Chunk>(type & ~kDifferences);
  std::vector<unsigned char> raw(stored);
  if (stored != 0 && std::fread(raw.data(), stored, 1, file) != 1) {
    throw Damaged("it ends in the middle of a chunk");
  }
  if (stored == size) {
    chunk.bytes = std::move(raw);
    return true;
  }
  if ((type & kDifferences) != 0) {
    auto bytes = unpack_differences(raw, size);
    if (!bytes) throw Damaged("a chunk cannot be unpacked");
    chunk.bytes = std::move(*bytes);
    return true;
  }
  chunk.bytes.resize(size);
  uLongf unpacked = size;
  if (uncompress(chunk.bytes.data(), &unpacked, raw.data(), stored) != Z_OK || unpacked != size) {
    throw Damaged("a chunk cannot be unpacked");
  }
  return true;
}

Json parse(const ChunkBytes& chunk) {
  try {
    // What is nested deeply takes the stack of those who walk through it.
    const auto shallow = [](int depth, Json::parse_event_t, Json&) {
      if (depth > kDeepest) throw Damaged("a chunk is nested more deeply than any that is written");
      return true;
    };
    Json json = Json::parse(chunk.bytes.begin(), chunk.bytes.end(), shallow);
    if (!json.is_object()) throw Damaged("a chunk is no JSON object");
    return json;
  } catch (const Json::exception&) {
    throw Damaged("a chunk is no JSON");
  }
}

template <class Integer>
Integer number(const Json& json, const char* key) {
  return json.at(key).get<Integer>();
}

std::string text(const Json& json, const char* key) {
  return json.at(key).get_ref<const std::string&>().substr(0, kLargestText);
}

Process read_process(const Json& json) {
  Process process{number<std::uint32_t>(json, "serial"),
                  number<std::uint32_t>(json, "pid"),
                  number<std::uint32_t>(json, "parent_pid"),
                  number<std::uint64_t>(json, "born"),
                  {}};
  for (const Json& module : json.at("modules")) {
    process.modules.push_back({module.at(0).get<std::uint64_t>(), module.at(1).get<std::uint64_t>(),
                               module.at(2).get<std::uint64_t>(), module.at(3).get<std::string>()});
  }
  return process;
}

void read_thread(const Json& json, Recording& into) {
  const auto serial = number<std::uint64_t>(json, "serial");
  Thread& thread = into.threads[serial];
  thread.serial = serial;
  thread.creator = number<std::uint64_t>(json, "creator");
  thread.process = number<std::uint32_t>(json, "process");
  thread.tid = number<std::uint32_t>(json, "tid");
  thread.created = number<std::uint64_t>(json, "created");
  thread.started = number<std::uint64_t>(json, "started");
  thread.ended = number<std::uint64_t>(json, "ended");
  thread.function = number<std::uint64_t>(json, "function");
  const auto end = number<std::uint8_t>(json, "end");
  if (end > trace::kLastEnd) throw Damaged("a thread ended in an unknown way");
  thread.end = static_cast<trace::End>(end);
  thread.end_detail = number<std::uint64_t>(json, "end_detail");
  thread.name = text(json, "name");
  thread.text = text(json, "text");
  thread.lost = number<std::uint64_t>(json, "lost");
  thread.counts.clear();
  for (const Json& count : json.at("counts")) {
    thread.counts.push_back({count.at(0).get<std::uint64_t>(), count.at(1).get<std::uint64_t>(),
                             count.at(2).get<std::uint64_t>()});
  }
}

void read_events(const ChunkBytes& chunk, Recording& into) {
  std::uint64_t serial = 0;
  if (chunk.bytes.size() < sizeof serial ||
      (chunk.bytes.size() - sizeof serial) % sizeof(trace::Event) != 0) {
    throw Damaged("events of a strange size");
  }
  std::memcpy(&serial, chunk.bytes.data(), sizeof serial);
  Thread& thread = into.threads[serial];
  thread.serial = serial;
  const std::size_t n = (chunk.bytes.size() - sizeof serial) / sizeof(trace::Event);
  const std::size_t before = thread.events.size();
  thread.events.resize(before + n);
  if (n != 0) {
    std::memcpy(thread.events.data() + before, chunk.bytes.data() + sizeof serial,
                n * sizeof(trace::Event));
  }
}

void read_queue(const Json& json, Recording& into) {
  const Queue queue{number<std::uint32_t>(json, "id"),      number<std::uint32_t>(json, "process"),
                    number<std::uint64_t>(json, "address"), number<std::uint64_t>(json, "limit"),
                    number<std::uint64_t>(json, "born"),    number<std::uint64_t>(json, "ended")};
  into.queues[queue.id] = queue;
}

template <class Record>
void read_records(const ChunkBytes& chunk, std::vector<Record>& into) {
  if (chunk.bytes.size() % sizeof(Record) != 0) throw Damaged("a list of a strange size");
  const std::size_t before = into.size();
  into.resize(before + chunk.bytes.size() / sizeof(Record));
  if (!chunk.bytes.empty()) {
    std::memcpy(into.data() + before, chunk.bytes.data(), chunk.bytes.size());
  }
}

void read_symbols(const Json& json, Recording& into) {
  for (const Json& place : json.at("places")) {
    std::vector<Frame>& frames =
        into.places[{place.at(0).get<std::uint32_t>(), place.at(1).get<std::uint64_t>()}];
    frames.clear();
    for (const Json& frame : place.at(2)) {
      frames.push_back({frame.at(0).get<std::string>(), frame.at(1).get<std::string>(),
                        frame.at(2).get<std::uint32_t>(), frame.at(3).get<std::string>()});
    }
  }
  for (const Json& stack : json.at("stacks")) {
    into.stacks[{stack.at(0).get<std::uint64_t>(), stack.at(1).get<std::uint16_t>()}] =
        stack.at(2).get<std::vector<std::uint64_t>>();
  }
  for (const Json& object : json.at("objects")) {
    into.objects[{object.at(0).get<std::uint32_t>(), object.at(1).get<std::uint64_t>()}] =
        object.at(2).get<std::string>();
  }
  if (!json.contains("names")) return;  // version 1
  for (const Json& name : json.at("names")) {
    into.names[{name.at(0).get<std::uint32_t>(), name.at(1).get<std::uint64_t>()}]
              [name.at(2).get<std::uint64_t>()] =
        name.at(3).get_ref<const std::string&>().substr(0, kLargestText);
  }
}

void read_end(const Json& json, Recording& into) {
  into.end = json;
  into.ns_per_tick = json.at("ns_per_tick").get<double>();
  for (const Json& row : json.at("schedules")) {
    into.schedules[row.at(0).get<std::uint32_t>()] = {
        row.at(1).get<std::uint64_t>(), row.at(2).get<std::uint64_t>(),
        row.at(3).get<std::uint64_t>(), row.at(4).get<std::uint64_t>()};
  }
}

void read_into(const ChunkBytes& chunk, Recording& recording) {
  switch (chunk.type) {
    case Chunk::meta:
      recording.meta = parse(chunk);
      recording.ns_per_tick = recording.meta.at("ns_per_tick").get<double>();
      break;
    case Chunk::process: {
      Process process = read_process(parse(chunk));
      recording.processes[process.serial] = std::move(process);
      break;
    }
    case Chunk::thread:
      read_thread(parse(chunk), recording);
      break;
    case Chunk::events:
      read_events(chunk, recording);
      break;
    case Chunk::switches:
      read_records(chunk, recording.scheduler.switches);
      break;
    case Chunk::wakes:
      read_records(chunk, recording.scheduler.wakes);
      break;
    case Chunk::sleeps:
      read_records(chunk, recording.scheduler.sleeps);
      break;
    case Chunk::symbols:
      read_symbols(parse(chunk), recording);
      break;
    case Chunk::alarm:
      recording.alarms.push_back(parse(chunk));
      break;
    case Chunk::end:
      read_end(parse(chunk), recording);
      break;
    case Chunk::queue:
      read_queue(parse(chunk), recording);
      break;
    case Chunk::depths:
      read_records(chunk, recording.depths);
      break;
    default:
      throw Damaged("a chunk is of an unknown type");
  }
}

}  // namespace

Recording read_recording(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) throw std::system_error(errno, std::generic_category(), path);
  return read_recording(*file);
}

Recording read_recording(std::FILE& file) {
  char magic[8] = {};
  std::uint32_t version[2] = {};
  if (std::fread(magic, sizeof magic, 1, &file) != 1 ||
      std::memcmp(magic, "THRUMREC", sizeof magic) != 0 ||
      std::fread(version, sizeof version, 1, &file) != 1) {
    throw NotARecording("not a recording of thrum watch");
  }
  // What is new in a version is more of what there was.
  if (version[0] == 0 || version[0] > trace::kFormatVersion) {
    throw NotARecording(fmt::format("a recording of version {}; this thrum reads versions 1 to {}",
                                    version[0], trace::kFormatVersion));
  }
  Recording recording;
  try {
    ChunkBytes chunk;
    while (read_chunk(&file, chunk)) read_into(chunk, recording);
    if (recording.end.empty()) recording.cut_off = "its end is missing";
  } catch (const Damaged& damage) {
    recording.cut_off = damage.what();
  } catch (const Json::exception&) {
    recording.cut_off = "a chunk lacks a field";
  }
  if (!(recording.ns_per_tick > 1e-6 && recording.ns_per_tick < 1e6)) recording.ns_per_tick = 1;
  // A thread whose process is not known is of no use to anybody.
  std::erase_if(recording.threads, [&](const auto& entry) {
    return !recording.processes.contains(entry.second.process);
  });
  return recording;
}

}  // namespace thrum::analysis
