// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "analysis/recording.h"

namespace thrum::analysis {
namespace {

constexpr char kFileMagic[8] = {'T', 'H', 'R', 'U', 'M', 'R', 'E', 'C'};
constexpr std::size_t kWorthPacking = 256;

}  // namespace

RecordingWriter::RecordingWriter(std::string path) : path_(std::move(path)) {
  // A name that nobody else can have made before us.
  for (int i = 0; file_ == nullptr; ++i) {
    temporary_ = path_ + "." + std::to_string(getpid()) + "-" + std::to_string(i) + ".part";
    const int file =
        open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST && i < 100) continue;
    if (file < 0) throw std::system_error(errno, std::generic_category(), path_);
    file_ = fdopen(file, "wb");
  }
  const std::uint32_t version[2] = {trace::kFormatVersion, 0};
  std::fwrite(kFileMagic, sizeof kFileMagic, 1, file_);
  std::fwrite(version, sizeof version, 1, file_);
}

RecordingWriter::~RecordingWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

void RecordingWriter::write(Chunk type, const void* data, std::size_t size) {
  std::uint32_t head[3] = {static_cast<std::uint32_t>(type), static_cast<std::uint32_t>(size),
                           static_cast<std::uint32_t>(size)};
  std::vector<Bytef> packed;
  if (size >= kWorthPacking) {
    uLongf packed_size = compressBound(static_cast<uLong>(size));
    packed.resize(packed_size);
    if (compress2(packed.data(), &packed_size, static_cast<const Bytef*>(data),
                  static_cast<uLong>(size), Z_BEST_SPEED) == Z_OK &&
        packed_size < size) {
      head[1] = static_cast<std::uint32_t>(packed_size);
      data = packed.data();
    }
  }
  if (std::fwrite(head, sizeof head, 1, file_) != 1 ||
      (head[1] != 0 && std::fwrite(data, head[1], 1, file_) != 1)) {
    if (error_ == 0) error_ = errno != 0 ? errno : EIO;
  }
  bytes_ += sizeof head + head[1];
}

void RecordingWriter::write(Chunk type, const Json& json) {
  // What the target calls its files and threads need not be UTF-8.
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  write(type, text.data(), text.size());
  if (type != Chunk::symbols) std::fflush(file_);  // so that a killed watcher leaves it
}

void RecordingWriter::write(const Process& process) {
  Json modules = Json::array();
  for (const Module& module : process.modules) {
    modules.push_back({module.bias, module.low, module.high, module.path});
  }
  write(Chunk::process, Json{{"serial", process.serial},
                             {"pid", process.pid},
                             {"parent_pid", process.parent_pid},
                             {"born", process.born},
                             {"modules", std::move(modules)}});
}

void RecordingWriter::write(const Thread& thread) {
  Json counts = Json::array();
  for (const AcquisitionCount& count : thread.counts) {
    counts.push_back({count.object_kind, count.site, count.n});
  }
  write(Chunk::thread, Json{{"serial", thread.serial},
                            {"creator", thread.creator},
                            {"process", thread.process},
                            {"tid", thread.tid},
                            {"created", thread.created},
                            {"started", thread.started},
                            {"ended", thread.ended},
                            {"function", thread.function},
                            {"end", static_cast<int>(thread.end)},
                            {"end_detail", thread.end_detail},
                            {"name", thread.name},
                            {"text", thread.text},
                            {"lost", thread.lost},
                            {"counts", std::move(counts)}});
}

void RecordingWriter::write_events(std::uint64_t thread, std::span<const trace::Event> events) {
  std::vector<unsigned char> bytes(sizeof thread + events.size_bytes());
  std::memcpy(bytes.data(), &thread, sizeof thread);
  std::memcpy(bytes.data() + sizeof thread, events.data(), events.size_bytes());
  write(Chunk::events, bytes.data(), bytes.size());
}

void RecordingWriter::write(const SchedulerRecords& records) {
  const auto part = [this](Chunk type, const auto& list) {
    if (!list.empty()) write(type, list.data(), list.size() * sizeof list[0]);
  };
  part(Chunk::switches, records.switches);
  part(Chunk::wakes, records.wakes);
  part(Chunk::sleeps, records.sleeps);
}

void RecordingWriter::write(const Queue& queue) {
  write(Chunk::queue, Json{{"id", queue.id},
                           {"process", queue.process},
                           {"address", queue.address},
                           {"limit", queue.limit},
                           {"born", queue.born},
                           {"ended", queue.ended}});
}

void RecordingWriter::write(std::span<const Depth> depths) {
  write(Chunk::depths, depths.data(), depths.size_bytes());
}

void RecordingWriter::commit() {
  errno = 0;
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
  if (error_ == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ != 0) {
    unlink(temporary_.c_str());
    throw std::system_error(error_, std::generic_category(), path_);
  }
  std::fclose(file_);
  file_ = nullptr;
}

}  // namespace thrum::analysis
