// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "analysis/differences.h"
#include "analysis/recording.h"

namespace thrum::analysis {
namespace {

constexpr char kFileMagic[8] = {'T', 'H', 'R', 'U', 'M', 'R', 'E', 'C'};
constexpr std::size_t kWorthPacking = 256;
constexpr std::size_t kWrittenTogether = 256u << 10;

std::span<const unsigned char> as_bytes(const void* data, std::size_t size) {
  return {static_cast<const unsigned char*>(data), size};
}

template <class List>
std::span<const unsigned char> bytes_of(const List& list) {
  return as_bytes(list.data(), list.size() * sizeof list[0]);
}

// Gives a file its name, which one before it may have. Where that is simply replaced, some file
// systems have all of the new one written to the disk first, by us; where both change their names
// they do not.
int rename_over(const std::string& from, const std::string& to) {
  struct stat before{};
  if (lstat(to.c_str(), &before) == 0 && S_ISREG(before.st_mode) &&
      renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) {
    return unlink(from.c_str());
  }
  return std::rename(from.c_str(), to.c_str());
}

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
  buffer_.resize(kWrittenTogether);  // glibc makes none of a size that it is asked for
  std::setvbuf(file_, buffer_.data(), _IOFBF, buffer_.size());
  const std::uint32_t version[2] = {trace::kFormatVersion, 0};
  std::fwrite(kFileMagic, sizeof kFileMagic, 1, file_);
  std::fwrite(version, sizeof version, 1, file_);
}

RecordingWriter::~RecordingWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

void RecordingWriter::write_text(Chunk type, std::string_view text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::vector<unsigned char> packed;
  if (text.size() >= kWorthPacking) {
    packed.resize(size);
    const int result = compress2(packed.data(), &size, reinterpret_cast<const Bytef*>(text.data()),
                                 static_cast<uLong>(text.size()), Z_BEST_SPEED);
    packed.resize(result == Z_OK ? size : 0);
  }
  write_chunk(static_cast<std::uint32_t>(type), as_bytes(text.data(), text.size()), packed);
}

void RecordingWriter::write_records(Chunk type, std::span<const unsigned char> bytes,
                                    std::size_t bytes_of_a_record) {
  write_chunk(static_cast<std::uint32_t>(type) | kDifferences, bytes,
              pack_differences(bytes, bytes_of_a_record / sizeof(std::uint32_t), packed_));
}

void RecordingWriter::flush() { std::fflush(file_); }

// Writes what was packed, if that is shorter.
void RecordingWriter::write_chunk(std::uint32_t type, std::span<const unsigned char> bytes,
                                  std::span<const unsigned char> packed) {
  const bool is_shorter = !packed.empty() && packed.size() < bytes.size();
  const std::span<const unsigned char> stored = is_shorter ? packed : bytes;
  const std::uint32_t head[3] = {type, static_cast<std::uint32_t>(stored.size()),
                                 static_cast<std::uint32_t>(bytes.size())};
  if (std::fwrite(head, sizeof head, 1, file_) != 1 ||
      (!stored.empty() && std::fwrite(stored.data(), stored.size(), 1, file_) != 1)) {
    if (error_ == 0) error_ = errno != 0 ? errno : EIO;
  }
  bytes_ += sizeof head + stored.size();
}

void RecordingWriter::write(Chunk type, const Json& json) {
  // What the target calls its files and threads need not be UTF-8.
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  write_text(type, text);
  if (type != Chunk::symbols) flush();  // so that a killed watcher leaves it
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
  events_.resize(sizeof thread + events.size_bytes());
  std::memcpy(events_.data(), &thread, sizeof thread);
  std::memcpy(events_.data() + sizeof thread, events.data(), events.size_bytes());
  write_records(Chunk::events, events_, sizeof(trace::Event));
}

void RecordingWriter::write(const SchedulerRecords& records) {
  const auto part = [this](Chunk type, const auto& list) {
    if (!list.empty()) write_records(type, bytes_of(list), sizeof list[0]);
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
  write_records(Chunk::depths, bytes_of(depths), sizeof depths[0]);
}

void RecordingWriter::commit() {
  errno = 0;
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
  if (error_ == 0 && rename_over(temporary_, path_) != 0) error_ = errno;
  if (error_ != 0) {
    unlink(temporary_.c_str());
    throw std::system_error(error_, std::generic_category(), path_);
  }
  std::fclose(file_);
  file_ = nullptr;
}

}  // namespace thrum::analysis
