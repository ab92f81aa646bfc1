// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/pipeline.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "cli/tour/progress_line.h"
#include "text/terminal.h"

namespace thrum::cli {

using namespace text;

namespace {

namespace fs = std::filesystem;

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    std::string name = testing::TempDir() + "thrum-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~PipelineTest() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& content) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << content;
  }
  // Everything as small as it can be, so that all queues are full most of the time.
  PipelineOptions tight() const {
    return {.root = root_,
            .exclude = {},
            .workers = 3,
            .chunk_bytes = 4096,
            .max_paths = 1,
            .max_files = 1,
            .max_chunks = 1,
            .max_results = 1};
  }

  fs::path root_;
};

TEST_F(PipelineTest, CountsTheSameWhateverTheWorkersAndTheBounds) {
  Counts expected;
  for (int n = 0; n < 100; ++n) {
    const std::string content(static_cast<std::size_t>(n) * 200, n % 2 == 0 ? 'x' : '\n');
    write(std::to_string(n % 5) + "/" + std::to_string(n), content);
    expected.bytes += content.size();
    expected.words += n % 2 == 0 && n > 0 ? 1 : 0;
    expected.lines += n % 2 == 0 ? 0 : content.size();
  }
  std::set<std::string> digests;
  for (const std::size_t workers : {std::size_t{1}, std::size_t{2}, std::size_t{20}}) {
    PipelineOptions options = tight();
    options.workers = workers;
    const Totals totals = Pipeline(options).run({});
    EXPECT_TRUE(totals.complete);
    EXPECT_EQ(totals.files, 100u);
    EXPECT_EQ(totals.counts, expected);
    EXPECT_EQ(totals.walk.folders, 6u);
    digests.insert(totals.sha256);
  }
  digests.insert(Pipeline({.root = root_}).run({}).sha256);
  EXPECT_EQ(digests.size(), 1u);
}

TEST_F(PipelineTest, FinishesEachTaskOfEachQueue) {
  for (int n = 0; n < 50; ++n) write(std::to_string(n), std::string(20'000, 'x'));
  const Totals totals = Pipeline(tight()).run({});
  ASSERT_EQ(totals.queues.size(), 3u);
  for (const QueueUse& queue : totals.queues) {
    EXPECT_EQ(queue.items, 50u);
    EXPECT_EQ(queue.peak, 1u);
    EXPECT_EQ(queue.unfinished, 0u);
  }
}

TEST_F(PipelineTest, FindsNothingBelowAnEmptyFolder) {
  const Totals totals = Pipeline(tight()).run({});
  EXPECT_TRUE(totals.complete);
  EXPECT_EQ(totals.files, 0u);
  EXPECT_EQ(totals.sha256, "");
  EXPECT_TRUE(totals.problems.empty());
}

TEST_F(PipelineTest, TellsThatTheRootVanished) {
  PipelineOptions options = tight();
  options.root = root_ / "gone";
  const Totals totals = Pipeline(options).run({});
  EXPECT_TRUE(totals.complete);
  ASSERT_EQ(totals.problems.size(), 1u);
  EXPECT_EQ(totals.problems[0], (Problem{root_ / "gone", "it vanished"}));
}

TEST_F(PipelineTest, TellsOfAFileThatVanishedAfterItWasFound) {
  std::size_t met = 0;
  while (met == 0) {
    for (int n = 0; n < 200; ++n) write(std::to_string(n), "x");
    Thread remover({.name = "remover"}, [&] {
      for (int n = 0; n < 200; ++n) fs::remove(root_ / std::to_string(n));
    });
    remover.start();
    const Totals totals = Pipeline(tight()).run({});
    remover.join();
    for (const Problem& problem : totals.problems) EXPECT_EQ(problem.why, "it vanished");
    met = totals.problems.size();
  }
}

TEST_F(PipelineTest, TellsOfAFileThatChangedWhileItWasRead) {
  std::size_t met = 0;
  while (met == 0) {
    write("log", std::string(4'000'000, 'x'));
    Thread logger({.name = "logger"}, [&] {
      std::ofstream log(root_ / "log", std::ios::app);
      for (int n = 0; n < 5000; ++n) log << 'y' << std::flush;
    });
    logger.start();
    const Totals totals = Pipeline(tight()).run({});
    logger.join();
    EXPECT_EQ(totals.files, 1u);  // what was read counts
    for (const Problem& problem : totals.problems) {
      EXPECT_EQ(problem, (Problem{root_ / "log", "it changed while it was read"}));
    }
    met = totals.problems.size();
  }
}

TEST_F(PipelineTest, StopsInTheMiddleOfAFile) {
  write("huge", "");
  fs::resize_file(root_ / "huge", std::uintmax_t{1} << 40);
  write("small", "x");
  std::stop_source stop;
  PipelineEvents events;
  events.progress = [&](const Progress& progress) {
    if (progress.bytes > 1'000'000) stop.request_stop();
  };
  const Totals totals = Pipeline(tight()).run(stop.get_token(), events);
  EXPECT_FALSE(totals.complete);
  EXPECT_EQ(totals.sha256, "");
  EXPECT_LE(totals.files, 1u);
  EXPECT_GT(totals.bytes_unfinished, 1'000'000u);
}

TEST_F(PipelineTest, DoesNothingIfItWasStoppedBefore) {
  write("file", "x");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(Pipeline(tight()).run(stop.get_token()).complete);
}

TEST_F(PipelineTest, LeavesOutNames) {
  write(".git/config", "x");
  write("a/.git/config", "x");
  write("a/git", "x");
  PipelineOptions options = tight();
  options.exclude = {".git"};
  const Totals totals = Pipeline(options).run({});
  EXPECT_EQ(totals.files, 1u);
  EXPECT_EQ(totals.walk.excluded, 2u);
}

TEST(ProgressLine, FitsTheTerminal) {
  const Progress progress{.files = 12'345,
                          .bytes = 987'654'321,
                          .files_found = 99'999,
                          .bytes_found = 9'876'543'210,
                          .walking = false,
                          .elapsed_ns = 3'000'000'000};
  for (std::size_t columns = 1; columns < 150; ++columns) {
    EXPECT_LE(columns_of(progress_line(progress, columns)), columns);
  }
  EXPECT_NE(progress_line(progress, 100).find("12,345/99,999 files"), std::string::npos);
  EXPECT_NE(progress_line(progress, 100).find(" 10 %"), std::string::npos);
}

TEST(ProgressLine, DoesNotPromiseAnEndWhileWalking) {
  const std::string line = progress_line({.files = 1, .bytes = 10, .files_found = 2}, 100);
  EXPECT_NE(line.find("1 of at least 2 files"), std::string::npos);
  EXPECT_EQ(line.find('%'), std::string::npos);
}

}  // namespace
}  // namespace thrum::cli
