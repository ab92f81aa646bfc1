// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/alarm.h"

#include <fmt/format.h>

#include "analysis/places.h"

namespace thrum::analysis {
namespace {

Json place(std::span<const Frame> frames) {
  Json list = Json::array();
  for (const Frame& frame : frames) list.push_back(text_of(frame));
  const Frame* const innermost = here(frames);
  Json found{{"at", innermost != nullptr ? text_of(*innermost) : ""}, {"stack", std::move(list)}};
  const Frame* const from = innermost != nullptr ? caller(frames, *innermost) : nullptr;
  if (from != nullptr) found["from"] = text_of(*from);
  return found;
}

}  // namespace

Json deadlock_alarm(const Cycle& cycle, std::uint64_t ns,
                    const std::function<Described(const Link&)>& describe) {
  Json threads = Json::array();
  for (const Link& link : cycle) {
    const trace::Event wait{0, link.thread.waits_for, 0, 0};
    const Described thread = describe(link);
    Json one{{"thread", link.thread.thread},
             {"tid", thread.tid},
             {"name", thread.name},
             {"wants", fmt::format("{:#x}", wait.object())},
             {"kind", name_of(wait.kind())},
             {"object", thread.object},
             {"wants_at", place(thread.wants_at)}};
    if (!thread.took_at.empty()) one["took_at"] = place(thread.took_at);
    threads.push_back(std::move(one));
  }
  return Json{{"kind", "deadlock"}, {"ns", ns}, {"threads", std::move(threads)}};
}

}  // namespace thrum::analysis
