// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// thrum_bench: what the library costs beside its peers.  Exit 0 done, 1 a promise is broken,
// 2 usage, or a build or machine whose figures mean nothing, 3 failed.
#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include "cases/cases.h"
#include "harness.h"
#include "machine.h"
#include "report.h"

#ifdef BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif

namespace bench {
namespace {

struct Options {
  std::string pattern;
  std::size_t rounds = 11;
  double seconds = 0.5;
  std::filesystem::path json;
  bool is_short = false;
  bool list = false;
  bool check = false;
  std::string one;
  std::uint64_t operations = 0;
};

Cases all_cases() {
  Cases cases;
  add_lock_cases(cases);
  add_semaphore_cases(cases);
  add_event_cases(cases);
  add_condition_cases(cases);
  add_barrier_cases(cases);
  add_queue_cases(cases);
  add_thread_cases(cases);
  add_timer_cases(cases);
  add_switch_cases(cases);
  add_idle_cases(cases);
  return cases;
}

std::string primitive_of(const Case& what) { return what.name.substr(0, what.name.find('/')); }

// A file for each primitive, in a folder named by the machine. None is ever half written.
void save(const std::filesystem::path& folder, const Machine& machine, const Options& options,
          std::span<const Result> results) {
  const std::filesystem::path here = folder / machine.short_name();
  std::filesystem::create_directories(here);
  while (!results.empty()) {
    const std::string primitive = primitive_of(*results.front().what);
    const auto end = std::ranges::find_if(
        results, [&](const Result& result) { return primitive_of(*result.what) != primitive; });
    const auto count = static_cast<std::size_t>(end - results.begin());
    const std::filesystem::path file = here / (primitive + ".json");
    const std::filesystem::path unfinished = file.string() + ".part";
    std::ofstream out(unfinished);
    out.exceptions(std::ios::failbit | std::ios::badbit);
    out << document(machine, options.rounds, options.seconds, results.first(count));
    out.close();
    std::filesystem::rename(unfinished, file);
    fmt::print("written to {}\n", file.string());
    results = results.subspan(count);
  }
}

// For bench/compare.py, which takes turns among programs.
int run_one(const Options& options, const Cases& cases) {
  const auto what = std::ranges::find(cases, options.pattern, &Case::name);
  if (what == cases.end()) {
    fmt::print(stderr, "thrum_bench: {}: no such case, see --list\n", options.pattern);
    return 2;
  }
  const auto contender = std::ranges::find(what->contenders, options.one, &Contender::name);
  if (contender == what->contenders.end()) {
    fmt::print(stderr, "thrum_bench: {}: no such contender in {}\n", options.one, what->name);
    return 2;
  }
  const std::uint64_t n = options.operations != 0
                              ? options.operations
                              : calibrate(contender->run, options.seconds * 1e9);
  const Cost cost = contender->run(n);
  const auto each = static_cast<double>(n * what->batch);
  fmt::print("{} {} {} {}", n, cost.wall_ns / each, cost.cpu_ns / each, cost.sleeps / each);
  for (const auto& [name, value] : cost.also) fmt::print(";{}={}", name, value);
  fmt::print("\n");
  return 0;
}

int run(const Options& options) {
  const std::string pattern = options.pattern + '*';
  Cases cases = all_cases();
  std::erase_if(cases, [&](const Case& what) {
    return fnmatch(pattern.c_str(), what.name.c_str(), 0) != 0 ||
           (options.check && what.promises.empty()) || (options.is_short && what.growth);
  });
  if (cases.empty()) {
    fmt::print(stderr, "thrum_bench: {}: no such case, see --list\n", options.pattern);
    return 2;
  }
  if (options.list) {
    for (const Case& what : cases) fmt::print("{}\n", what.name);
    return 0;
  }
  // Who asks for one round knows why: bench/instructions.py counts them under valgrind.
  if (const std::string why = unfit(); !why.empty() && options.one.empty()) {
    fmt::print(stderr, "thrum_bench: nothing to report: {}\n", why);
    return 2;
  }

  // A library for threads is used where there are several: with a single one, glibc and libstdc++
  // skip atomic operations.
  const std::jthread bystander([](const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock guard(mutex);
    std::condition_variable_any().wait(guard, stop, [] { return false; });
  });

  if (!options.one.empty()) return run_one(options, cases);

  const auto terminal = thrum::text::Terminal::of_stdout(false);
  const bool watched = isatty(STDERR_FILENO) == 1;
  const auto print = [&](const std::string& text) {
    if (watched) fmt::print(stderr, "\r\x1b[K");
    fmt::print("{}", terminal.render(text));
    (void)std::fflush(stdout);
  };
  const Machine machine = Machine::here();
  for (const std::string& line : thrum::text::wrap(machine.line(), 100)) print(line + '\n');
  if (!machine.missing.empty()) print("peers that are not here: " + machine.missing + '\n');
  print(fmt::format("{} rounds of {:.3g} ms, all contenders in each{}\n", options.rounds,
                    1000 * options.seconds / static_cast<double>(options.rounds),
                    options.rounds < 11 ? "; too few for a result" : ""));
  if (machine.load > static_cast<double>(machine.cores) / 2) {
    print(fmt::format("the machine is busy (load {:.1f}): no result, only an impression\n",
                      machine.load));
  }

  std::vector<Result> results;
  bool kept = true;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto progress = [&](std::size_t round) {
      if (!watched) return;
      fmt::print(stderr, "\r\x1b[K[{}/{}] {}: {}", i + 1, cases.size(), cases[i].name,
                 round == 0 ? "calibrating" : fmt::format("round {} of {}", round, options.rounds));
    };
    results.push_back(measure(cases[i], options.rounds, options.seconds, progress));
    print(table(results.back(), i == 0 || primitive_of(cases[i]) != primitive_of(cases[i - 1])));
    if (options.check) print(promises(results.back(), kept));
  }
  if (!options.json.empty()) {
    save(options.json, machine, options, results);
  }
  if (options.check) {
    print(kept ? "\nevery promise is kept\n" : "\nnot every promise is kept, see BROKEN above\n");
  }
  return kept ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Options options;
  CLI::App app("Measures thrum beside its peers, in interleaved rounds.", "thrum_bench");
  app.add_option("PATTERN", options.pattern, "only cases whose name begins with it; * and ? match");
  app.add_option("--rounds", options.rounds, "how often each contender runs; results need 11")
      ->check(CLI::Range(1, 1'000'000))
      ->take_last()
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "how long a contender runs, all rounds together")
      ->check(CLI::Range(1e-6, 1e6))
      ->take_last()  // after what `ci/bench.sh --quick` says
      ->capture_default_str();
  app.add_option("--json", options.json,
                 "a folder where results go as well: MACHINE/PRIMITIVE.json, for what was run");
  app.add_flag("--short", options.is_short, "without the cases that only show how a cost grows");
  app.add_flag("--list", options.list, "name the cases, run none");
  app.add_flag("--check", options.check,
               "only cases that promise something; exit 1 if one is broken");
  app.add_option("--one", options.one,
                 "one round of this contender of the case PATTERN: operations in it, wall ns, cpu "
                 "ns and sleeps per operation; see bench/compare.py");
  app.add_option("--operations", options.operations, "how many in that round; 0: for --seconds");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
#ifdef BENCH_ABSL
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // or it is not a peer
#endif
  return run(options);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::main_of(argc, argv);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "thrum_bench: %s\n", error.what());
    return 3;
  }
}
