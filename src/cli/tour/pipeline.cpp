// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/pipeline.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <string_view>
#include <utility>

namespace thrum::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 100ms;       // between two looks at the progress
constexpr auto kLastWords = 400ms;  // for the threads to end after a stop
constexpr std::size_t kBinaryLook = 8 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::int64_t thread_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

bool same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// Returns a line as sha256sum prints it: a name with a newline, a carriage return or a backslash is
// escaped, and the line begins with a backslash then.
std::string checksum_line(const std::string& path, const Digest& digest) {
  std::string name;
  bool escaped = false;
  for (const char c : path) {
    const std::string_view letter = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\\' ? "\\\\" : "";
    escaped |= !letter.empty();
    letter.empty() ? name += c : name += letter;
  }
  return fmt::format("{}{}  ./{}\n", escaped ? "\\" : "", hex(digest), name);
}

}  // namespace

void Pipeline::Worker::did(std::uint64_t more_files, std::uint64_t more_bytes) {
  files.fetch_add(more_files, std::memory_order_relaxed);
  bytes.fetch_add(more_bytes, std::memory_order_relaxed);
  cpu_ns.store(thread_cpu_ns(), std::memory_order_relaxed);
  const Switches switches = current_thread().switches().value_or(Switches{});
  voluntary.store(switches.voluntary, std::memory_order_relaxed);
  involuntary.store(switches.involuntary, std::memory_order_relaxed);
}

template <class T>
QueueUse Pipeline::Pipe<T>::use() const {
  return {queue.name(), items.load(std::memory_order_relaxed), queue.maxsize(),
          peak.load(std::memory_order_relaxed), queue.unfinished_tasks()};
}

Pipeline::Pipeline(PipelineOptions options)
    : options_(std::move(options)),
      paths_("paths", options_.max_paths),
      files_("files", options_.max_files),
      results_("results", options_.max_results) {
  stop_ = group_.stop_token();  // which is constructed last
}

void Pipeline::start(std::string name, void (Pipeline::*stage)(Worker&)) {
  Worker& worker = workers_.emplace_back(name);
  (void)group_.start({.name = std::move(name)}, [this, stage, &worker] {
    (this->*stage)(worker);
    worker.did(0, 0);
  });
}

// Finds the files; then closes one stage after the other, each when its work is done.
void Pipeline::walk_stage(Worker& me) {
  const auto found = [&](FoundFile file) {
    files_found_.fetch_add(1, std::memory_order_relaxed);
    bytes_found_.fetch_add(file.bytes, std::memory_order_relaxed);
    me.did(1, 0);
    return paths_.put(std::move(file.path), stop_);
  };
  const auto problem = [&](Problem what) {
    (void)results_.put({std::move(what.path), std::move(what.why), true}, stop_);
  };
  walk_ = walk(options_.root, options_.exclude, {found, problem}, stop_);
  walking_.store(false, std::memory_order_relaxed);

  if (!paths_.queue.join(stop_)) return;
  paths_.queue.shutdown();
  if (!files_.queue.join(stop_)) return;
  files_.queue.shutdown();
  if (!results_.queue.join(stop_)) return;
  results_.queue.shutdown();
}

void Pipeline::read_stage(Worker& me) {
  for (auto path : paths_.queue.tasks(stop_)) {
    const std::string where = below(options_.root, *path);
    // Never block on what became a FIFO meanwhile, nor follow what became a link.
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (path->empty() ? 0 : O_NOFOLLOW);
    const Descriptor descriptor(open(where.c_str(), flags));
    if (descriptor.get() < 0) {
      if (!results_.put({std::move(*path), words_for(errno), true}, stop_)) return;
      continue;
    }
    const auto file = std::make_shared<File>(std::move(*path), options_.max_chunks);
    if (!files_.put(file, stop_)) return;
    std::optional<Chunk> end = read_file(*file, descriptor.get(), me);
    if (!end || !file->chunks.put(std::move(*end), stop_)) return;
    me.did(1, 0);
  }
}

// Fills the file's queue. Returns its end, nothing if stopped before.
std::optional<Pipeline::Chunk> Pipeline::read_file(File& file, int fd, Worker& me) {
  struct stat before{};
  if (fstat(fd, &before) != 0) return end_of_file(words_for(errno), true);
  if (!S_ISREG(before.st_mode)) return end_of_file("it is no regular file any more", true);
  // One byte more than is expected, to meet the end with it.
  const std::size_t chunk_bytes = std::clamp<std::size_t>(
      static_cast<std::size_t>(before.st_size) + 1, 4096, options_.chunk_bytes);
  for (;;) {
    Chunk chunk{std::make_unique_for_overwrite<char[]>(chunk_bytes)};
    bool at_end = false;
    while (chunk.size < chunk_bytes) {
      const ssize_t n = read(fd, chunk.data.get() + chunk.size, chunk_bytes - chunk.size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return end_of_file(words_for(errno), true);
      at_end = n == 0;
      if (at_end || stop_.stop_requested()) break;
      chunk.size += static_cast<std::size_t>(n);
    }
    me.did(0, chunk.size);
    if (chunk.size > 0 && !file.chunks.put(std::move(chunk), stop_)) return std::nullopt;
    if (at_end) break;
    if (stop_.stop_requested()) return std::nullopt;
  }
  struct stat after{};
  if (fstat(fd, &after) != 0) return end_of_file(words_for(errno), true);
  if (after.st_size != before.st_size || !same(after.st_mtim, before.st_mtim)) {
    return end_of_file("it changed while it was read");
  }
  return end_of_file();
}

void Pipeline::count_stage(Worker& me) {
  Sha256 sha256;
  for (auto file : files_.queue.tasks(stop_)) {
    Result result{(*file)->path};
    if (!count_file(**file, sha256, me, result)) return;
    me.did(1, 0);
    if (!results_.put(std::move(result), stop_)) return;
  }
}

// Returns false if it was stopped before the file's end.
bool Pipeline::count_file(File& file, Sha256& sha256, Worker& me, Result& result) {
  WordCount words;
  for (const Chunk& chunk : file.chunks.items(stop_)) {
    if (chunk.last) {
      result.problem = chunk.problem;
      result.unreadable = chunk.unreadable;
      result.counts = words.counts();
      result.digest = sha256.finish();
      return true;
    }
    const std::span<const char> piece(chunk.data.get(), chunk.size);
    const std::uint64_t at = words.counts().bytes;
    if (at < kBinaryLook) {
      const auto head = piece.first(std::min<std::size_t>(piece.size(), kBinaryLook - at));
      result.binary |= std::ranges::find(head, '\0') != head.end();
    }
    words.add(piece);
    sha256.add(piece);
    me.did(0, piece.size());
    bytes_counted_.fetch_add(piece.size(), std::memory_order_relaxed);
  }
  return false;
}

void Pipeline::merge(Result&& result, Totals& totals, const PipelineEvents& events) {
  if (!result.problem.empty()) {
    totals.problems.push_back({below(options_.root, result.path), result.problem});
    events.problem(totals.problems.back());
  }
  if (result.unreadable) return;
  ++files_merged_;
  totals.binary_files += result.binary ? 1 : 0;
  totals.counts += result.counts;
  digests_.emplace_back(std::move(result.path), result.digest);
}

Progress Pipeline::progress() const {
  return {files_merged_,
          bytes_counted_.load(std::memory_order_relaxed),
          files_found_.load(std::memory_order_relaxed),
          bytes_found_.load(std::memory_order_relaxed),
          walking_.load(std::memory_order_relaxed),
          Deadline::now_ns() - started_ns_};
}

std::string Pipeline::digest_of_all() {
  if (digests_.size() == 1 && digests_[0].first.empty()) return hex(digests_[0].second);
  std::ranges::sort(digests_);
  Sha256 sha256;
  for (const auto& [path, digest] : digests_) sha256.add(checksum_line(path, digest));
  return hex(sha256.finish());
}

Totals Pipeline::run(std::stop_token stop, const PipelineEvents& events) {
  const std::stop_callback pass_on(std::move(stop), [this] { group_.request_stop(); });
  started_ns_ = Deadline::now_ns();
  start("walk", &Pipeline::walk_stage);
  for (std::size_t i = 1; i <= options_.workers; ++i) {
    start(fmt::format("read-{}", i), &Pipeline::read_stage);
    start(fmt::format("count-{}", i), &Pipeline::count_stage);
  }

  Totals totals;
  Queue<Result>& results = results_.queue;
  Deadline next_look = kTick;
  while (!stop_.stop_requested()) {
    std::optional<Result> result = results.get(next_look.or_stop(stop_));
    if (result) {
      merge(std::move(*result), totals, events);
      results.task_done();
    } else if (results.is_shutdown()) {
      break;
    }
    if (next_look.expired()) {
      events.progress(progress());
      next_look = kTick;
    }
  }
  // Whoever is stopped lets its task go, so the queues may come to an orderly end nevertheless.
  const bool stopped = stop_.stop_requested();
  while (std::optional<Result> result = results.get(nonblocking)) {
    merge(std::move(*result), totals, events);
  }

  // Also after a failure, which join() then throws; after a stop a read() may hang.
  const bool ended = group_.join(stopped ? Deadline(kLastWords) : Deadline(forever));
  totals.complete = !stopped;
  totals.elapsed_ns = Deadline::now_ns() - started_ns_;
  totals.files = files_merged_;
  if (stopped) {
    // Nothing that is in a total was missed here: a file's bytes are counted before it is merged.
    totals.bytes_unfinished = bytes_counted_.load(std::memory_order_relaxed) - totals.counts.bytes;
  }
  if (ended) totals.walk = walk_;
  if (!stopped && totals.files != 0) totals.sha256 = digest_of_all();
  for (const Worker& worker : workers_) {
    totals.workers.push_back({worker.name,
                              worker.files.load(std::memory_order_relaxed),
                              worker.bytes.load(std::memory_order_relaxed),
                              worker.cpu_ns.load(std::memory_order_relaxed),
                              {worker.voluntary.load(std::memory_order_relaxed),
                               worker.involuntary.load(std::memory_order_relaxed)}});
  }
  totals.queues = {paths_.use(), files_.use(), results_.use()};
  return totals;
}

}  // namespace thrum::cli
