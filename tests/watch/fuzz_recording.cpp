// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A recording that may be anything, through the reader, the analysis and every form.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "report/reports.h"

using namespace thrum;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      fmemopen(const_cast<std::uint8_t*>(data), size, "rb"), std::fclose);
  try {
    const analysis::Recording recording = analysis::read_recording(*file);
    const analysis::Analysis analysis = analysis::analyse(recording);
    for (const analysis::Life& life : analysis.lives) {
      std::uint64_t sum = 0;
      for (const std::uint64_t ns : life.ns) sum += ns;
      if (sum != life.end - life.begin) __builtin_trap();
    }
    for (const bool all : {false, true}) (void)report::text(analysis, 80, all);
    (void)report::json(analysis);
    (void)report::html(analysis);
    (void)report::folded(analysis);
    (void)report::pprof(analysis);
    (void)report::perfetto(analysis);
  } catch (const analysis::NotARecording&) {
    return -1;
  }
  return 0;
}
