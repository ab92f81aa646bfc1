// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What include/thrum/check.h calls.
#include "check/doors.h"
#include "check/server.h"

#define THRUM_PROGRAM_DOOR extern "C" __attribute__((visibility("default")))

namespace thrum::check {
namespace {

constinit std::uint32_t explorations = 0;

}  // namespace

// Returns 0 if the closure is not to be called.
THRUM_PROGRAM_DOOR int thrum_check_explore_begin() {
  if (!controlled() || engine.started) return 1;
  const std::uint32_t mine = explorations++;
  engine.shared->explorations = explorations;
  if (mine != engine.shared->exploration) return 0;
  serve(kDonorsAtFirst);
  return 1;
}
THRUM_PROGRAM_DOOR void thrum_check_explore_end() {
  if (controlled()) {
    point(Op::process_end, &engine, THRUM_CALLER());
    end_execution(0);
  }
  // The program is not checked, only linked with the runtime: it goes on. explore() ends here.
}
THRUM_PROGRAM_DOOR void thrum_check_explore_failed(const char* what) {
  if (controlled()) finish(Outcome::assertion, what, 0, THRUM_CALLER());
}
THRUM_PROGRAM_DOOR unsigned thrum_check_choose(unsigned n) {
  if (!controlled() || n < 2) return 0;
  const Pc pc = THRUM_CALLER();
  point(Op::choose, nullptr, pc);
  const unsigned chosen = decide(n, pc);
  note_value(chosen);
  return chosen;
}
THRUM_PROGRAM_DOOR void thrum_check_assume_failed() {
  if (controlled()) finish(Outcome::assumed_away, nullptr);
}
THRUM_PROGRAM_DOOR void thrum_check_note(const char* text) {
  if (!controlled() || !engine.started) return;
  Shared& shared = *engine.shared;
  constexpr std::uint32_t kNotes = sizeof shared.note / sizeof shared.note[0];
  if (shared.notes == kNotes) return;
  auto& note = shared.note[shared.notes++];
  note.step = shared.result.steps;
  note.thread = self().id;
  copy_text(note.text, sizeof note.text, text);
}
THRUM_PROGRAM_DOOR void thrum_check_atomic(int begins) {
  if (!controlled()) return;
  if (begins != 0) {
    ++engine.run.atomic_depth;
  } else {
    --engine.run.atomic_depth;
  }
}

}  // namespace thrum::check
