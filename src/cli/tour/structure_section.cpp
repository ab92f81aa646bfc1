// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/tour/section.h"
#include "text/units.h"

namespace thrum::cli {

using namespace text;
namespace {

constexpr std::size_t kFrameBytes = 16 * 1024;

// Uses `frames` times kFrameBytes of stack.
[[gnu::noinline]] int dive(int frames) {
  std::array<volatile char, kFrameBytes> water{};
  // An index unknown to the compiler, which else keeps one byte; read after the call, which else
  // becomes a loop.
  const auto at = static_cast<std::size_t>(frames) % kFrameBytes;
  water[at] = static_cast<char>(frames);
  const int below = frames <= 1 ? 0 : dive(frames - 1);
  return below + water[at];
}

// What a thread found out about itself.
struct Diver {
  std::string name;
  int frames;
  const void* local = nullptr;  // where its local variable is
  StackInfo stack{};
  int visits = 0;  // in its own Local
};

bool has(const StackInfo& stack, const void* pointer) {
  const auto* const base = static_cast<const char*>(stack.base);
  return pointer >= base && pointer < base + stack.size_bytes;
}

std::vector<std::string> draw(const std::array<Diver, 2>& divers, std::size_t columns) {
  std::vector<std::string> lines;
  const std::size_t most = std::max(divers[0].stack.peak_bytes, divers[1].stack.peak_bytes);
  for (const Diver& diver : divers) {
    const double share = static_cast<double>(diver.stack.peak_bytes) /
                         static_cast<double>(std::max<std::size_t>(most, 1));
    const std::string says = fmt::format("{} used at most, of {}",
                                         human_bytes(static_cast<double>(diver.stack.peak_bytes)),
                                         human_bytes(static_cast<double>(diver.stack.size_bytes)));
    lines.push_back(fit(diver.name, 6) + ink(kCyan, fit(bar(share, 20), 21)) + says);
    lines.push_back("      " +
                    ink(kDim, fit(fmt::format("from {}, local variable at {}",
                                              address(diver.stack.base), address(diver.local)),
                                  columns - 6)));
  }
  return lines;
}

}  // namespace

void structure_section(Tour& tour) {
  Report& report = tour.report;

  THRUM_RUN(report, auto heap = std::make_unique<int>(1));
  const void* seen_at = nullptr;
  Thread writer({.name = "writer"}, [&] {
    seen_at = heap.get();
    *heap = 42;
  });
  report.code("Thread writer([&] { *heap = 42; })");
  writer.start();
  writer.join();
  report.happened(
      {.text = "one heap: written by writer, read here: {heap_value}, at {heap_address} for both",
       .facts = {{"heap_value", *heap},
                 {"heap_address", address(heap.get())},
                 {"heap_address_in_thread", address(seen_at)}},
       .holds = *heap == 42 && seen_at == heap.get()});

  THRUM_RUN(report, int fd = memfd_create("shared", MFD_CLOEXEC));
  ssize_t put_in = 0;
  Thread filer({.name = "filer"}, [&] { put_in = write(fd, "hello", 5); });
  report.code("Thread filer([&] { write(fd, \"hello\", 5); })");
  filer.start();
  filer.join();
  std::array<char, 8> content{};
  const ssize_t got = pread(fd, content.data(), content.size(), 0);
  const std::string text(content.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  report.happened(
      {.text =
           "one table of open files: number {fd} is the same file for both; it says {file_text}",
       .facts = {{"fd", fd}, {"file_text", text}},
       .holds = put_in == 5 && text == "hello"});
  close(fd);

  std::array<Diver, 2> divers{{{"left", 2}, {"right", 20}}};
  THRUM_RUN(report, Local<int> visits(0));
  Barrier both(2);  // both stacks must exist at the same time
  const auto swim = [&](Diver& diver) {
    const int local = dive(diver.frames);
    diver.local = &local;
    for (int i = 0; i < diver.frames; ++i) ++*visits;
    diver.visits = *visits;
    diver.stack = threading::current_thread().stack().value_or(StackInfo{});
    (void)both.wait();
  };
  Thread left({.name = "left"}, swim, std::ref(divers[0]));
  Thread right({.name = "right"}, swim, std::ref(divers[1]));
  report.code("Thread left(swim, 2), right(swim, 20)  // calls, 16 KiB each");
  left.start();
  right.start();
  left.join();
  right.join();

  const bool own = has(divers[0].stack, divers[0].local) && has(divers[1].stack, divers[1].local) &&
                   !has(divers[0].stack, divers[1].local) && !has(divers[1].stack, divers[0].local);
  const bool deeper = divers[1].stack.peak_bytes >= divers[0].stack.peak_bytes + 16 * kFrameBytes;
  Facts facts;
  for (const Diver& diver : divers) {
    facts.emplace_back(diver.name + "_stack", address(diver.stack.base));
    facts.emplace_back(diver.name + "_stack_size_bytes", diver.stack.size_bytes);
    facts.emplace_back(diver.name + "_stack_peak_bytes", diver.stack.peak_bytes);
    facts.emplace_back(diver.name + "_local", address(diver.local));
  }
  report.happened({.text = "two stacks: the same local variable in two places, and each call took "
                           "its own thread's stack",
                   .facts = std::move(facts),
                   .holds = own && deeper,
                   .drawing = [&](std::size_t columns) { return draw(divers, columns); }});

  report.code("++*visits  // in swim, once for each call");
  report.happened({.text = "one name, one value for each thread: left {left_visits}, right "
                           "{right_visits}, here {main_visits}",
                   .facts = {{"left_visits", divers[0].visits},
                             {"right_visits", divers[1].visits},
                             {"main_visits", *visits}},
                   .holds = divers[0].visits == 2 && divers[1].visits == 20 && *visits == 0});
}

}  // namespace thrum::cli
