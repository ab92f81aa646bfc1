// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Counts words and hashes files, below a folder, in four stages of threads joined by queues:
//
//   walk 1 -> paths -> read N -> files -> count N -> results -> merge, the caller
//
// A file goes to its counter as a queue of chunks that its reader is still filling. So the chunks
// of one file stay in order, any idle counter may take the next file, and memory is bounded however
// large a file is: by the bounds of the two kinds of queues.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/tour/count.h"
#include "cli/tour/walk.h"
#include "thrum/threading.h"

namespace thrum::cli {

struct PipelineOptions {
  std::string root{};                  ///< a folder or a file
  std::vector<std::string> exclude{};  ///< names of entries to leave out
  std::size_t workers = 2;             ///< threads that read, and as many that count
  std::size_t chunk_bytes = 256 * 1024;
  std::int64_t max_paths = 256;    ///< between walk and read
  std::int64_t max_files = 16;     ///< between read and count
  std::int64_t max_chunks = 4;     ///< of one file
  std::int64_t max_results = 256;  ///< between count and merge
};

/// How far a pipeline is; each figure stale as soon as it is returned.
struct Progress {
  std::uint64_t files = 0;  ///< merged
  std::uint64_t bytes = 0;  ///< counted
  std::uint64_t files_found = 0;
  std::uint64_t bytes_found = 0;
  bool walking = true;  ///< more may be found
  std::int64_t elapsed_ns = 0;
};

/// What one thread of the pipeline did.
struct WorkerUse {
  std::string name;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::int64_t cpu_ns = 0;
  Switches switches;
};

/// What went through one queue.
struct QueueUse {
  std::string name;
  std::uint64_t items = 0;
  std::size_t maxsize = 0;
  std::size_t peak = 0;          ///< most items seen in it
  std::uint64_t unfinished = 0;  ///< items without task_done() at the end
};

struct Totals {
  bool complete = false;  ///< false: stopped before the end
  std::uint64_t files = 0;
  std::uint64_t binary_files = 0;  ///< with a NUL among the first 8 KiB
  Counts counts;
  WalkCounts walk;
  std::vector<Problem> problems;
  /// If complete, and there are files: for a file its SHA-256; for a folder that of the lines
  /// `find . -type f | LC_ALL=C sort | xargs sha256sum` prints, for the files that could be read.
  std::string sha256;
  std::uint64_t bytes_unfinished = 0;  ///< counted of files whose end was not reached; in no total
  std::int64_t elapsed_ns = 0;
  std::vector<WorkerUse> workers;
  std::vector<QueueUse> queues;
};

/// What run() tells while it works, in the thread that called it; progress about ten times a
/// second.
struct PipelineEvents {
  std::function<void(const Progress&)> progress = [](const Progress&) {};
  std::function<void(const Problem&)> problem = [](const Problem&) {};
};

/// One run over one folder.
class Pipeline {
 public:
  explicit Pipeline(PipelineOptions options);
  /// Stops and joins what still runs.
  ~Pipeline() = default;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Does all of it, once. After a stop request returns within half a second what was done so far,
  /// even if a read() hangs; only the destructor waits for that.
  /// Throws  what a thread threw (std::bad_alloc, say); std::system_error if there are no threads.
  Totals run(std::stop_token stop, const PipelineEvents& events = {});

 private:
  // A piece of a file. The last one has no bytes, but says how the reading ended.
  struct Chunk {
    std::unique_ptr<char[]> data{};
    std::size_t size = 0;
    bool last = false;
    std::string problem{};
    bool unreadable = false;  // the problem is that bytes are missing
  };
  static Chunk end_of_file(const std::string& problem = {}, bool unreadable = false) {
    return {nullptr, 0, true, problem, unreadable};
  }
  struct File {
    File(std::string its_path, std::int64_t max_chunks)
        : path(std::move(its_path)), chunks(max_chunks) {}
    std::string path;
    Queue<Chunk> chunks;
  };
  using FilePtr = std::shared_ptr<File>;

  struct Result {
    std::string path;
    std::string problem{};    // empty: the rest counts
    bool unreadable = false;  // nothing of the rest counts
    bool binary = false;
    Counts counts{};
    Digest digest{};
  };

  // What a thread says about itself. Relaxed: read for display, and after the join.
  struct Worker {
    explicit Worker(std::string its_name) : name(std::move(its_name)) {}
    std::string name;
    std::atomic<std::uint64_t> files{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::int64_t> cpu_ns{0};
    std::atomic<std::uint64_t> voluntary{0};
    std::atomic<std::uint64_t> involuntary{0};

    void did(std::uint64_t more_files, std::uint64_t more_bytes);
  };

  // A queue that remembers how full it was.
  template <class T>
  struct Pipe {
    Pipe(const char* name, std::int64_t maxsize) : queue({.maxsize = maxsize, .name = name}) {}

    bool put(T item, const std::stop_token& stop) {
      if (!queue.put(std::move(item), stop)) return false;
      items.fetch_add(1, std::memory_order_relaxed);
      // qsize() may be more than there ever were, if gets come between its two looks.
      const std::size_t now = std::min(queue.qsize(), queue.maxsize());
      std::size_t most = peak.load(std::memory_order_relaxed);
      while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed,
                                                       std::memory_order_relaxed)) {
      }
      return true;
    }
    QueueUse use() const;

    Queue<T> queue;
    std::atomic<std::uint64_t> items{0};  // relaxed: for display, and after the join
    std::atomic<std::size_t> peak{0};     // the same
  };

  void start(std::string name, void (Pipeline::*stage)(Worker&));
  void walk_stage(Worker& me);
  void read_stage(Worker& me);
  void count_stage(Worker& me);

  std::optional<Chunk> read_file(File& file, int fd, Worker& me);
  bool count_file(File& file, Sha256& sha256, Worker& me, Result& result);
  void merge(Result&& result, Totals& totals, const PipelineEvents& events);
  Progress progress() const;
  std::string digest_of_all();

  const PipelineOptions options_;
  Pipe<std::string> paths_;
  Pipe<FilePtr> files_;
  Pipe<Result> results_;

  // Relaxed: the walker writes them for display.
  std::atomic<std::uint64_t> files_found_{0};
  std::atomic<std::uint64_t> bytes_found_{0};
  std::atomic<bool> walking_{true};
  std::atomic<std::uint64_t> bytes_counted_{0};

  WalkCounts walk_;  // the walker's until it has ended
  std::int64_t started_ns_ = 0;
  std::uint64_t files_merged_ = 0;
  std::vector<std::pair<std::string, Digest>> digests_;  // the merger's
  std::deque<Worker> workers_;
  std::stop_token stop_;  // the group's
  Group group_;           // last: joins before the rest goes
};

}  // namespace thrum::cli
