// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/live_process.h"

#include <sys/uio.h>

#include <algorithm>
#include <utility>

namespace thrum::analysis {

using trace::Kind;

namespace {

constexpr std::size_t kStackBytes = 64u << 10;
constexpr std::uint64_t kModulesNs = 1'000'000'000;  // for so long after it was in vain

}  // namespace

LiveProcess::LiveProcess(pid_t pid) : pid_(pid) {
  handle_.open(static_cast<std::uint32_t>(pid));
  read_modules();
}

void LiveProcess::read_modules() {
  std::vector<Module> found = modules_of(pid_);
  if (symbols_ != nullptr && found == modules_) return;
  modules_ = std::move(found);
  symbols_ = std::make_unique<Symbols>(modules_);
}

void LiveProcess::look() {
  const std::vector<pid_t> tids = tasks_of(pid_);
  std::erase_if(threads_, [&](const auto& entry) {
    const bool gone = !std::ranges::binary_search(tids, static_cast<pid_t>(entry.first));
    if (gone) by_inner_.erase(entry.second.inner);
    return gone;
  });
  for (const pid_t tid : tids) {
    const auto [at, is_new] = threads_.try_emplace(static_cast<std::uint32_t>(tid), pid_, tid);
    LiveThread& thread = at->second;
    thread.is_new = is_new;
    if (!is_new) continue;
    thread.serial = ++serials_;
    thread.inner = inner_id(pid_, tid);
    by_inner_[thread.inner] = thread.tid;
  }
  // First who does what, then who waits for whom.
  for (auto& [tid, thread] : threads_) look_at(thread);
  for (auto& [tid, thread] : threads_) {
    if (!thread.moved || !thread.blocked) continue;
    find_stack(thread);
    if (thread.blocked) find_waiting(thread);
  }
  // Who holds it may change while the waiter sleeps.
  for (auto& [tid, thread] : threads_) {
    if (!thread.moved && thread.blocked && thread.waiting.holder != 0) find_waiting(thread);
  }
}

void LiveProcess::look_at(LiveThread& thread) {
  const std::optional<Turns> turns = thread.files.turns();
  if (!turns) {
    thread.moved = true;
    thread.blocked = false;
    thread.state = 'X';
    return;
  }
  // Of one that runs on, the time grows; how often it got a processor does not.
  thread.moved = thread.is_new || *turns != thread.turns;
  thread.turns = *turns;
  if (!thread.moved && thread.blocked) return;
  std::optional<Call> call = thread.files.call();
  thread.state = thread.files.state().value_or('X');
  const bool sleeps = thread.state == 'S' || thread.state == 'D';
  // It fell asleep in between; or the system does not say where it sleeps.
  if (sleeps && !call) call = thread.files.call();
  const bool blocked = sleeps || (call && thread.state != 'R');
  thread.moved = thread.moved || blocked != thread.blocked;
  thread.blocked = blocked;
  thread.call = call.value_or(Call{});
  thread.waiting = {};
  thread.holder = 0;
  thread.stack.clear();
}

std::vector<unsigned char> LiveProcess::read_stack(std::uint64_t sp) const {
  std::vector<unsigned char> bytes(kStackBytes);
  // Page by page: what is behind the last one ends the read, not fails it.
  constexpr std::uint64_t kPage = 4096;
  std::vector<iovec> pages;
  for (std::uint64_t at = sp; at < sp + kStackBytes;) {
    const std::uint64_t next = std::min((at / kPage + 1) * kPage, sp + kStackBytes);
    pages.push_back({reinterpret_cast<void*>(at), next - at});
    at = next;
  }
  iovec to{bytes.data(), bytes.size()};
  const ssize_t n = process_vm_readv(pid_, &to, 1, pages.data(), pages.size(), 0);
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return bytes;
}

std::vector<std::uint64_t> LiveProcess::unwind(const trace::Registers& registers,
                                               std::span<const unsigned char> bytes,
                                               Symbols::Known known) {
  const auto is_known = [&] {
    return std::ranges::any_of(modules_, [&](const Module& module) {
      return module.low <= registers.pc && registers.pc < module.high;
    });
  };
  // A library that was loaded since, or the whole program: it may just have begun.
  if (!is_known() && trace::monotonic_ns() >= modules_due_ns_) {
    read_modules();
    if (!is_known()) modules_due_ns_ = trace::monotonic_ns() + kModulesNs;
  }
  std::vector<std::uint64_t> stack = symbols_->unwind(registers, bytes, known);
  if (stack.empty()) stack.push_back(registers.pc);
  return stack;
}

// What was read while the thread moved is of no use.
void LiveProcess::find_stack(LiveThread& thread) {
  if (thread.call.sp == 0) return;
  const std::vector<unsigned char> bytes = read_stack(thread.call.sp);
  const std::optional<Turns> after = thread.files.turns();
  if (!after || *after != thread.turns) {
    thread.blocked = false;
    thread.state = 'R';
    return;
  }
  trace::Registers registers{};
  registers.pc = thread.call.pc;
  registers.sp = thread.call.sp;
  thread.stack = unwind(registers, bytes, Symbols::Known::pc_and_sp);
}

void LiveProcess::find_waiting(LiveThread& thread) {
  constexpr std::size_t kOfLibc = 6;
  std::vector<std::string> functions;
  for (std::size_t i = 0; i < std::min(kOfLibc, thread.stack.size()); ++i) {
    for (Frame& frame : symbols_->frames(thread.stack[i])) functions.push_back(frame.function);
  }
  thread.waiting = waiting_of(static_cast<std::uint32_t>(pid_), thread.call, functions, read_words,
                              [&](std::uint32_t id) { return by_inner_.contains(id); });
  const auto holder = by_inner_.find(thread.waiting.holder);
  thread.holder = thread.waiting.holder != 0 && holder != by_inner_.end() ? holder->second : 0;
}

const LiveThread* LiveProcess::by_serial(std::uint64_t serial) const {
  for (const auto& [tid, thread] : threads_) {
    if (thread.serial == serial) return &thread;
  }
  return nullptr;
}

std::vector<Frame> LiveProcess::frames(std::span<const std::uint64_t> stack) {
  std::vector<Frame> found;
  for (const std::uint64_t address : stack) {
    for (Frame& frame : symbols_->frames(address)) found.push_back(std::move(frame));
  }
  return found;
}

// The same graph as of a recorded process: what it is told by the recorder there is told by the
// objects here. A wait begins anew with each turn on a processor.
std::vector<Moment> LiveProcess::moments(Which which) const {
  std::vector<Moment> moments;
  std::map<std::uint32_t, std::size_t> index;
  for (const auto& [tid, thread] : threads_) {
    Moment moment;
    moment.thread = thread.serial;
    moment.process = 1;
    moment.pid = static_cast<std::uint32_t>(pid_);
    moment.tid = thread.inner;
    if (thread.blocked && (thread.holder != 0 || which == Which::all)) {
      moment.waits_for = trace::pack(thread.waiting.object, thread.waiting.kind,
                                     thread.waiting.timed ? trace::kTimed : std::uint8_t{0});
      moment.waits_since = thread.turns.times;
    }
    index[tid] = moments.size();
    moments.push_back(std::move(moment));
  }
  for (const auto& [tid, thread] : threads_) {
    const auto holder = index.find(thread.holder);
    if (!thread.blocked || holder == index.end()) continue;
    Moment& held_by = moments[holder->second];
    const std::uint64_t object = thread.waiting.object;
    if (thread.waiting.kind == Kind::join) held_by.pthread = object;
    if (thread.waiting.kind == Kind::read_lock || thread.waiting.kind == Kind::write_lock) {
      held_by.holds.push_back({trace::pack(object, Kind::write_lock), 0});
    }
  }
  return moments;
}

std::vector<Cycle> LiveProcess::deadlocks() { return graph_.look(moments(Which::for_a_holder)); }

}  // namespace thrum::analysis
