// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/analysis.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/places.h"
#include "analysis/procfs.h"

namespace thrum::analysis {

std::string_view name_of(State state) {
  switch (state) {
    case State::new_:
      return "new";
    case State::ready:
      return "ready";
    case State::running:
      return "running";
    case State::runnable:
      return "runnable";
    case State::blocked:
      return "blocked";
  }
  return "?";
}

std::vector<std::uint64_t> stack_of(const Recording& recording, const Thread& thread,
                                    std::uint64_t site_stack) {
  const auto id = static_cast<std::uint16_t>(site_stack >> trace::kAddressBits);
  const auto stack = recording.stacks.find({thread.serial, id});
  if (id != 0 && stack != recording.stacks.end()) return stack->second;
  return {site_stack & trace::kAddressMask};
}

std::string site_text(const Recording& recording, const Thread& thread, std::uint64_t site_stack) {
  if (site_stack == 0) return "a place not seen";
  std::vector<Frame> frames;
  for (const std::uint64_t address : stack_of(recording, thread, site_stack)) {
    const auto place = recording.places.find({thread.process, address});
    if (place == recording.places.end()) continue;
    frames.insert(frames.end(), place->second.begin(), place->second.end());
  }
  if (const Frame* const frame = here(frames)) return text_of(*frame);
  return fmt::format("{:#x}", site_stack & trace::kAddressMask);
}

const std::string* given_name(const Recording& recording, std::uint32_t process,
                              std::uint64_t object, std::uint64_t ns) {
  const auto found = recording.names.find({process, object});
  if (found == recording.names.end() || found->second.empty()) return nullptr;
  const std::string* name = &found->second.begin()->second;
  for (const auto& [ticks, text] : found->second) {
    if (recording.ns(ticks) <= ns) name = &text;
  }
  return name;
}

std::string object_text(const Analysis& analysis, const Thread& thread, std::uint64_t object,
                        trace::Kind kind, const std::string* given) {
  const Recording& recording = *analysis.recording;
  if (kind == trace::Kind::sleep) return "sleep";
  if (kind == trace::Kind::call) return name_of_call(static_cast<long>(object) - 1);
  if (kind == trace::Kind::join) {
    for (const Life& life : analysis.lives) {
      // The thread that is joined is known by its pthread_t, which is not recorded: by its end.
      if (life.thread->serial == object) return life.name;
    }
    return "thread";
  }
  const std::string_view verb = verb_of(kind);
  const auto of_kind = [&](std::string_view name) {
    return verb.empty() ? std::string(name) : fmt::format("{} {}{}", name_of(kind), name, verb);
  };
  if (given != nullptr) return of_kind(*given);
  const auto named = recording.objects.find({thread.process, object});
  if (named != recording.objects.end()) return of_kind(named->second);
  const auto first = analysis.first_locked.find({thread.process, object});
  if (first != analysis.first_locked.end()) {
    return fmt::format("{} at {}{}", name_of(kind), first->second, verb);
  }
  return fmt::format("{} {:#x}{}", name_of(kind), object, verb);
}

Analysis analyse(const Recording& recording) {
  Analysis analysis;
  analysis.recording = &recording;
  find_lives(analysis);
  classify_switches(analysis);
  find_contention(analysis);
  find_queues(analysis);
  find_inversions(analysis);
  return analysis;
}

}  // namespace thrum::analysis
