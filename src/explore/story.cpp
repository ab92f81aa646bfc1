// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "explore/story.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstring>

#include "explore/words.h"
#include "text/terminal.h"

namespace thrum::explore {
namespace {

using check::Event;
using check::Op;

constexpr int kErrorLines = 6;
constexpr std::size_t kStackLines = 12;

std::string number(std::uint64_t value) {
  return value < 1U << 20 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string signal_word(std::uint64_t signal) {
  const char* const name = sigabbrev_np(static_cast<int>(signal));
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

Step step_of(const Event& event, Names& names) {
  Step step;
  step.thread = event.thread;
  step.preempts = (event.flags & check::kPreempts) != 0;
  step.has_place =
      event.op != Op::start && event.op != Op::thread_end && event.op != Op::process_end;
  step.verb = verb(event.op);
  step.object = event.op == Op::join ? std::string("the thread")
                                     : names.object(event.op, event.address, event.object);
  switch (event.op) {
    case Op::process_end:
      step.object.clear();  // the runtime's own
      break;
    case Op::read:
    case Op::atomic_load:
    case Op::atomic_store:
    case Op::atomic_rmw:
      if ((event.flags & check::kHasValue) != 0) step.rest = " = " + number(event.value);
      break;
    case Op::choose:
      step.rest = fmt::format(" {}", event.value);
      break;
    case Op::signal_send:
    case Op::signal_wait:
    case Op::handler:
      step.object = "a signal";
      if ((event.flags & check::kHasValue) != 0) step.object = signal_word(event.value);
      break;
    case Op::signal:
    case Op::broadcast:
    case Op::futex_wake:
      if (event.value == 0) step.rest = ": nobody waits";
      break;
    default:
      break;
  }
  if ((event.flags & check::kFailed) != 0) step.rest += ": in vain";
  if ((event.flags & check::kGaveUp) != 0) step.rest += ", time is up";
  return step;
}

Waiting waiting_of(const check::Blocked& blocked, const Execution& execution, Names& names) {
  Waiting waiting;
  waiting.thread = blocked.thread;
  if (blocked.thread < execution.pending.size()) {
    const std::vector<std::uint64_t>& stack = execution.pending[blocked.thread];
    waiting.place = names.place(stack, 0);
    waiting.stack = names.frames(stack);
  }
  if (blocked.holder >= 0) waiting.holder = static_cast<unsigned>(blocked.holder);
  if (blocked.op == Op::join) {
    waiting.verb = "joins";
    waiting.object = names.thread(waiting.holder.value_or(0));
    waiting.rest = ", which does not end";
    return waiting;
  }
  waiting.object = names.object(blocked.op, blocked.address, blocked.object);
  switch (blocked.op) {
    case Op::lock:
    case Op::relock:
    case Op::read_lock:
    case Op::write_lock:
    case Op::spin_lock:
      waiting.verb = "wants";
      break;
    case Op::condition_blocked:
    case Op::futex_blocked:
    case Op::barrier_blocked:
    case Op::semaphore_wait:
      waiting.verb = "waits for";
      break;
    case Op::signal_wait:
      waiting.verb = "waits for";
      waiting.object = "a signal";
      break;
    default:
      waiting.verb = verb(blocked.op);
  }
  if (waiting.holder == waiting.thread) {
    waiting.rest = ", which it holds itself";
  } else if (waiting.holder) {
    waiting.rest = fmt::format(", held by {}{}", names.thread(*waiting.holder),
                               blocked.holder_ended ? ", which has ended" : "");
  }
  return waiting;
}

std::vector<std::uint64_t> stack_of(const std::uint64_t (&stack)[check::kStackDepth]) {
  return {stack, std::find(stack, stack + check::kStackDepth, 0U)};
}

Access access_of(const check::Side& side, const std::vector<std::uint64_t>& stack, Names& names) {
  const std::string_view what = side.is_free     ? "frees"
                                : side.is_atomic ? (side.is_write ? "updates" : "loads")
                                : side.is_write  ? "writes"
                                                 : "reads";
  const std::string size = side.size != 0 && !side.is_free
                               ? fmt::format(" {} byte{}", side.size, side.size == 1 ? "" : "s")
                               : "";
  return {side.thread, fmt::format("{}{}", what, size), names.place(stack, side.pc),
          names.frames(stack)};
}

// One end of an edge, as the schedule calls it: `unlocks mutex #2 at bank.cpp:12`.
std::string end_of_edge(const check::OrderPoint& point, const Execution& execution, Names& names) {
  const bool is_shown = point.step != 0 && point.step <= execution.events.size();
  const Event event = is_shown ? execution.events[point.step - 1] : Event{};
  const std::string place =
      names
          .place(is_shown ? execution.stacks[point.step - 1] : std::vector<std::uint64_t>(),
                 point.pc)
          .text();
  switch (point.by) {
    case check::OrderedBy::object:
    case check::OrderedBy::atomic:
      if (is_shown && event.address == point.object) {
        return fmt::format("{} {} at {}", verb(event.op),
                           names.object(event.op, event.address, event.object), place);
      }
      return fmt::format("uses {:#x} at {}", point.object, place);
    case check::OrderedBy::fence:
      return fmt::format("passes a fence at {}", place);
    case check::OrderedBy::create:
      return fmt::format("starts a thread at {}", place);
    case check::OrderedBy::join:
      return fmt::format("joins a thread at {}", place);
    case check::OrderedBy::nothing:
      break;
  }
  return {};
}

// What would have ordered the two accesses of a race, and what there was instead.
std::string missing_edge(const Execution& execution, Names& names) {
  const check::Result& result = execution.result;
  const std::string first = names.thread(result.race[0].thread);
  const std::string second = names.thread(result.race[1].thread);
  const std::string released = end_of_edge(result.released, execution, names);
  const std::string acquired = end_of_edge(result.acquired, execution, names);
  return fmt::format("Nothing orders the second after the first: {}; {}.",
                     released.empty()
                         ? fmt::format("{} releases nothing after its access", first)
                         : fmt::format("after its access {} {}, which {} does not acquire", first,
                                       released, second),
                     acquired.empty() ? fmt::format("{} has acquired nothing", second)
                     : result.acquired.by == check::OrderedBy::create
                         ? fmt::format("{} has acquired nothing since it was started", second)
                         : fmt::format("{} acquires last when it {}", second, acquired));
}

bool has_address(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL;
}

std::string signal_name(int signal) {
  const char* const text = strsignal(signal);
  return text != nullptr ? text : fmt::format("signal {}", signal);
}

void judge(Story& story, const Execution& execution, Names& names) {
  using enum check::Outcome;
  const check::Result& result = execution.result;
  const std::string message = text::printable(result.message);
  const std::string who = names.thread(result.thread);
  const auto say = [&](std::string_view verdict, std::string summary) {
    story.verdict = verdict;
    story.summary = std::move(summary);
  };
  switch (result.outcome) {
    case assertion:
      say("assertion failed", fmt::format("{}, in {}", message, who));
      break;
    case aborted:
      say("abort", who);
      break;
    case exception:
      say("uncaught exception",
          fmt::format("{} in {}", text::printable(analysis::demangled_type(result.message)), who));
      break;
    case crash:
      say("crash",
          fmt::format(
              "{} in {} at {}{}", signal_name(result.status), who,
              names.place({}, result.pc).text(),
              has_address(result.status) ? fmt::format(", address {:#x}", result.address) : ""));
      break;
    case exit_status:
      say("exit status", fmt::format("{}", result.status));
      break;
    case deadlock:
      say("deadlock", "no thread can go on");
      break;
    case lost_wakeup:
      say("lost wake-up", "a thread waits for ever while the rest is done");
      break;
    case livelock:
      say("livelock", "the threads wait for each other without sleeping");
      break;
    case race: {
      const std::string name = names.object(Op::read, result.race[1].address, 0);
      say("data race",
          fmt::format("nothing orders these two accesses to {}",
                      name == "variable #0" ? fmt::format("{:#x}", result.race[1].address) : name));
      break;
    }
    case leak:
      say("leak", fmt::format("{}, {}", message, names.place({}, result.pc).text()));
      break;
    case clean:
      say("no failure", "the program ended as it should");
      break;
    case use_after_free:
      say("use after free", message);
      break;
    case hang:
      say("hang", message);
      break;
    case cut_off:
      say("too long", fmt::format("cut off after {} steps", result.steps - 1));
      break;
    case assumed_away:
      say("assumed away", fmt::format("an assume() does not hold in {}", who));
      break;
    case unsupported:
      say("not controlled", fmt::format("it uses {}", message));
      break;
    case running:
    case more_donors:
    case kernel_state:  // of executions that are made again, in another way
      say("no verdict", message);
  }
  if (result.outcome == deadlock || result.outcome == lost_wakeup || result.outcome == livelock) {
    for (std::uint32_t i = 0; i < result.blocked_count; ++i) {
      story.waiting.push_back(waiting_of(result.blocked[i], execution, names));
    }
  }
  if (result.outcome == race || result.outcome == use_after_free) {
    for (int i = 0; i < 2; ++i) {
      story.accesses.push_back(access_of(result.race[i], stack_of(result.race_stack[i]), names));
    }
    if (result.outcome == race) story.missing = missing_edge(execution, names);
  }
  if (result.outcome == assertion || result.outcome == aborted || result.outcome == exception ||
      result.outcome == crash) {
    story.stack = names.frames({result.stack, result.stack + result.stack_depth});
    if (story.stack.size() > kStackLines) story.stack.resize(kStackLines);
  }
  if (result.outcome == assertion) return;  // what it wrote is the assertion
  std::string_view rest = execution.errors;
  for (int n = 0; n < kErrorLines && !rest.empty(); ++n) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    story.errors.push_back(text::printable(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// The file that all steps are in, if there is but one.
std::string only_file(const std::vector<Step>& steps) {
  std::string file;
  for (const Step& step : steps) {
    if (!step.has_place) continue;
    if (step.place.file.empty() || (!file.empty() && file != step.place.file)) return {};
    file = step.place.file;
  }
  return file;
}

}  // namespace

std::string Step::text() const {
  return fmt::format("{}{}{}{}", verb, object.empty() ? "" : " ", object, rest);
}

std::string Waiting::text() const {
  return fmt::format("{}{}{}{}, at {}", verb, object.empty() ? "" : " ", object, rest,
                     place.text());
}

Story tell(const Execution& execution) {
  Names names(execution);
  Story story;
  story.outcome = execution.result.outcome;
  story.thread = execution.result.thread;
  for (unsigned i = 0; i < std::max<std::size_t>(1, execution.threads.size()); ++i) {
    story.threads.push_back(names.thread(i));
  }
  judge(story, execution, names);
  std::size_t note = 0;
  for (std::size_t i = 0; i < execution.events.size(); ++i) {
    const Event& event = execution.events[i];
    Step step = step_of(event, names);
    step.place = names.place(execution.stacks[i], event.pc);
    step.stack = names.frames(execution.stacks[i]);
    for (; note < execution.notes.size() && execution.notes[note].step <= i + 1; ++note) {
      step.notes.push_back(text::printable(execution.notes[note].text));
    }
    story.steps.push_back(std::move(step));
  }
  story.file = only_file(story.steps);
  return story;
}

}  // namespace thrum::explore
