// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "cli/tour/pipeline.h"
#include "cli/tour/progress_line.h"
#include "cli/tour/section.h"
#include "text/units.h"

namespace thrum::cli {

using namespace text;
namespace {

void show_queue(Report& report) {
  THRUM_RUN(report, Queue<int> jobs(2); jobs.put(1); jobs.put(2));
  THRUM_RUN(report, const bool third = jobs.put(3, nonblocking));
  report.happened({.text = "a queue for two: full? {full}. A third is not taken: {third}",
                   .facts = {{"full", jobs.full()}, {"third", third}},
                   .holds = jobs.full() && !third});

  THRUM_RUN(report, const int first = jobs.get());
  report.happened({.text = "{first}: first in, first out. Unfinished tasks: {unfinished}, for it "
                           "was not worked on yet",
                   .facts = {{"first", first}, {"unfinished", jobs.unfinished_tasks()}},
                   .holds = first == 1 && jobs.unfinished_tasks() == 2});

  THRUM_RUN(report, jobs.task_done(); const bool early = jobs.join(nonblocking));
  THRUM_RUN(report, (void)jobs.get(); jobs.task_done(); jobs.join());
  report.happened({.text = "join() waits for the work, not for an empty queue: at first "
                           "{join_early}, then it returns, with {unfinished_after} unfinished",
                   .facts = {{"join_early", early}, {"unfinished_after", jobs.unfinished_tasks()}},
                   .holds = !early && jobs.unfinished_tasks() == 0});

  report.code("jobs.shutdown(); jobs.put(4)");
  jobs.shutdown();
  std::string refused;
  try {
    jobs.put(4);
  } catch (const ShutDown& error) {
    refused = error.what();
  }
  report.happened({.text = "{put_after_shutdown}",
                   .facts = {{"put_after_shutdown", refused}},
                   .holds = !refused.empty()});
}

std::vector<std::string> draw(const Totals& totals, std::size_t columns) {
  std::vector<std::string> lines;
  std::string chain = "walk";
  const std::vector<std::string_view> next{"read", "count", "merge"};
  for (std::size_t i = 0; i < totals.queues.size(); ++i) {
    const QueueUse& queue = totals.queues[i];
    chain +=
        ink(kDim, fmt::format(" → {}({}) → ", queue.name, queue.maxsize)) + std::string(next[i]);
    if (i < 2) chain += fmt::format("×{}", (totals.workers.size() - 1) / 2);
  }
  lines.push_back(chain);
  lines.emplace_back();
  // The few that did most; there may be a thousand.
  std::vector<const WorkerUse*> shown;
  for (const WorkerUse& worker : totals.workers) shown.push_back(&worker);
  const std::size_t limit = 9;
  if (shown.size() > limit) {
    std::ranges::partial_sort(shown, shown.begin() + limit, std::ranges::greater{},
                              [](const WorkerUse* worker) { return worker->cpu_ns; });
    shown.resize(limit);
  }
  const std::size_t width = std::min<std::size_t>(columns - 56, 24);
  for (const WorkerUse* worker : shown) {
    const double share = static_cast<double>(worker->cpu_ns) /
                         static_cast<double>(std::max<std::int64_t>(totals.elapsed_ns, 1));
    lines.push_back(
        fmt::format("{}{}{:>3.0f} % busy {:>7} files {:>8}", fit(worker->name, 9),
                    ink(kCyan, fit(bar(share, width), width + 1)), share * 100,
                    grouped(worker->files),
                    worker->bytes == 0 ? "" : human_bytes(static_cast<double>(worker->bytes))) +
        ink(kDim, fmt::format("  slept {}×", grouped(worker->switches.voluntary))));
  }
  if (shown.size() < totals.workers.size()) {
    lines.push_back(ink(kDim, fmt::format("… and {} more", totals.workers.size() - limit)));
  }
  return lines;
}

Facts facts_of(const Totals& totals, const Tour& tour) {
  const double seconds = std::max(static_cast<double>(totals.elapsed_ns) / 1e9, 1e-6);
  Facts facts{{"path", printable(tour.path)},
              {"complete", totals.complete},
              {"files", totals.files},
              {"lines", totals.counts.lines},
              {"words", totals.counts.words},
              {"bytes", totals.counts.bytes},
              {"size_bytes", totals.counts.bytes},
              {"unfinished_bytes", totals.bytes_unfinished},
              {"sha256", totals.sha256.empty() ? Json() : Json(totals.sha256)},
              {"binary_files", totals.binary_files},
              {"folders", totals.walk.folders},
              {"symlinks", totals.walk.symlinks},
              {"special_files", totals.walk.specials},
              {"excluded", totals.walk.excluded},
              {"workers", tour.workers},
              {"elapsed_ns", totals.elapsed_ns},
              {"throughput_bytes_per_second", static_cast<double>(totals.counts.bytes) / seconds},
              {"files_per_second", static_cast<double>(totals.files) / seconds}};
  Json problems = Json::array();
  for (const Problem& problem : totals.problems) {
    problems.push_back({{"path", printable(problem.path)}, {"why", problem.why}});
  }
  facts.emplace_back("problems", problems);
  facts.emplace_back("problem_count", totals.problems.size());
  Json threads = Json::array();
  for (const WorkerUse& worker : totals.workers) {
    threads.push_back({{"name", worker.name},
                       {"files", worker.files},
                       {"bytes", worker.bytes},
                       {"cpu_ns", worker.cpu_ns},
                       {"voluntary_switches", worker.switches.voluntary},
                       {"involuntary_switches", worker.switches.involuntary}});
  }
  facts.emplace_back("threads", threads);
  Json queues = Json::array();
  for (const QueueUse& queue : totals.queues) {
    queues.push_back({{"name", queue.name},
                      {"items", queue.items},
                      {"maxsize", queue.maxsize},
                      {"peak", queue.peak},
                      {"unfinished", queue.unfinished}});
    facts.emplace_back(queue.name + "_peak", queue.peak);
    facts.emplace_back(queue.name + "_maxsize", queue.maxsize);
  }
  facts.emplace_back("queues", queues);
  return facts;
}

// Counts in words: `3 symbolic links were not followed`, for what there is.
std::string remarks(const Totals& totals, const std::vector<std::string>& exclude) {
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t n, std::string_view what) {
    if (n != 0) parts.push_back(fmt::format("{}{}", grouped(n), what));
  };
  const auto plural = [](std::uint64_t n, std::string_view one, std::string_view many) {
    return std::string(n == 1 ? one : many);
  };
  const WalkCounts& walk = totals.walk;
  add(totals.binary_files, plural(totals.binary_files, " file is", " files are") +
                               " binary (NUL in the first 8 KiB), and counted like the others");
  add(walk.symlinks, plural(walk.symlinks, " symbolic link", " symbolic links") + " not followed");
  add(walk.specials,
      plural(walk.specials, " FIFO, socket or device", " FIFOs, sockets or devices") +
          " not opened");
  add(walk.excluded, fmt::format(" left out by name ({})", fmt::join(exclude, ", ")));
  return parts.empty() ? "" : fmt::format(". {}", fmt::join(parts, "; "));
}

// Returns what to type in the folder to check the totals: `find` with the names left out, `action`
// for what was found.
std::string find_command(const std::vector<std::string>& exclude, std::string_view action) {
  std::string command = "find . ";
  for (const std::string& name : exclude) command += fmt::format("-name {} -prune -o ", name);
  return command + "-type f -print0 | " + std::string(action);
}

void show_pipeline(Tour& tour) {
  Report& report = tour.report;
  PipelineOptions options;
  options.root = tour.path;
  options.exclude = tour.exclude;
  options.workers = tour.workers;
  const auto pipeline = std::make_shared<Pipeline>(std::move(options));
  tour.leftovers.push_back(pipeline);

  PipelineEvents events;
  events.problem = [&](const Problem& problem) { report.problem(problem.path, problem.why); };
  if (report.is_live()) {
    events.progress = [&](const Progress& progress) {
      report.status(progress_line(progress, report.columns() - 1));
    };
  }
  const Totals totals = pipeline->run(tour.stop, events);
  report.status("");
  const Facts facts = facts_of(totals, tour);

  report.code("read:  for (auto path : paths.tasks(stop)) files.put(open(*path), stop)");
  report.code("count: for (auto file : files.tasks(stop)) results.put(count(*file), stop)");
  if (totals.complete && totals.files == 0) {
    report.happened({.text = "there is no file below {path}: nothing to count", .facts = facts});
    return;
  }
  report.happened(
      {.text =
           totals.complete
               ? "{files} files, {size_bytes} in {elapsed_ns}: {throughput_bytes_per_second}, "
                 "{files_per_second} files/s, with {workers} readers and as many counters"
               : "stopped after {elapsed_ns}: {files} files, {size_bytes}; and {unfinished_bytes} "
                 "of files that were not finished, in no total",
       .facts = facts,
       .drawing = [&](std::size_t columns) { return draw(totals, columns); }});

  if (totals.complete) {
    const bool finished = std::ranges::all_of(
        totals.queues, [](const QueueUse& queue) { return queue.unfinished == 0; });
    report.code("paths.join(); paths.shutdown(); files.join(); files.shutdown(); ...");
    report.happened({.text = "an orderly end, stage by stage. Most items at once: paths "
                             "{paths_peak} of {paths_maxsize}, files {files_peak} of "
                             "{files_maxsize}, results {results_peak} of {results_maxsize}",
                     .facts = facts,
                     .holds = finished});
  }

  const bool one_file = !std::filesystem::is_directory(tour.path);
  const std::string wc =
      one_file ? "LC_ALL=C wc FILE"
               : find_command(tour.exclude, "LC_ALL=C wc --files0-from=- | tail -n 1");
  const std::string sha256sum =
      one_file ? "sha256sum FILE"
               : find_command(tour.exclude, "LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum");
  if (totals.complete) report.code("$ " + wc);
  report.happened(
      {.text = "lines {lines}, words {words}, bytes {bytes}" + remarks(totals, tour.exclude),
       .facts = facts});
  if (totals.complete) {
    report.code("$ " + sha256sum);
    report.happened({.text = "{sha256}", .facts = facts});
  }
  if (!totals.problems.empty()) {
    report.happened({.text = "problems with files or folders: {problem_count}",
                     .facts = facts,
                     .unseen = "standard error names each"});
  }
}

}  // namespace

void queue_section(Tour& tour) {
  show_queue(tour.report);
  show_pipeline(tour);
}

}  // namespace thrum::cli
