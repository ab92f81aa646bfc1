// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/thread.h"

#include <cxxabi.h>
#include <limits.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <typeinfo>

#include "threading/kernel.h"
#include "threading/thread_record.h"
#include "threading/timer_record.h"
#include "thrum/group.h"

namespace thrum {
namespace {

constinit std::atomic<std::size_t> default_stack_size{0};
constinit std::atomic<unsigned> unnamed_threads{0};

std::size_t checked_stack_size(std::size_t bytes) {
  // PTHREAD_STACK_MIN may be a call.
  if (bytes != 0 && bytes < static_cast<std::size_t>(PTHREAD_STACK_MIN)) {
    throw UsageError("thrum::Thread: stack_size " + std::to_string(bytes) + " is too small, 0 or " +
                     std::to_string(PTHREAD_STACK_MIN) + " bytes at least are required");
  }
  return bytes;
}

// The user's hook, null for ours. (registry)
std::shared_ptr<const ExceptHook>& hook_slot() {
  static auto& slot = *new std::shared_ptr<const ExceptHook>();  // outlives every thread
  return slot;
}

void write_line(const std::string& line) noexcept {
  // One write: lines of several threads do not mix.
  const std::string text = line + '\n';
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // nobody to tell
}

std::string describe(const std::exception_ptr& exception) {
  const auto type_name = [] {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    if (type == nullptr) return std::string("an exception");
    int status = 0;
    char* const readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    std::string name = status == 0 ? readable : type->name();
    std::free(readable);
    return name;
  };
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return type_name() + ": " + error.what();
  } catch (...) {
    return type_name();
  }
}

}  // namespace

// --- Handles

ThreadRecord& ThreadHandle::record() const {
  if (record_ == nullptr) {
    throw_usage_error("thrum::ThreadHandle: names no thread, take one from a Thread");
  }
  return *record_;
}

void ThreadHandle::join() const { (void)record().join(forever); }
bool ThreadHandle::join(const Deadline& deadline) const { return record().join(deadline); }
bool ThreadHandle::is_alive() const { return record().is_alive(); }

ThreadState ThreadHandle::state() const {
  ThreadRecord& thread = record();
  const std::uint32_t now = thread.phase();
  if (now == ThreadRecord::kNew) return {};
  if (now == ThreadRecord::kPending) return {Life::blocked, thread.timer->waits(), End::alive};
  if (now != ThreadRecord::kStarted) return {Life::terminated, {}, thread.end};
  WaitingFor blocked_on;
  std::optional<Life> life;
  {
    const waist::Registry registry;
    thread.find_node(registry);
    if (thread.node == nullptr && thread.origin == ThreadRecord::Origin::ours) {
      return {Life::ready, {}, End::alive};  // did not run yet
    }
    if (thread.node != nullptr) blocked_on = waist::blocked_on(*thread.node);
    life = kernel::life_of(thread.native_id.load(std::memory_order_relaxed));
  }
  if (!life) life = blocked_on.kind == Waitable::nothing ? Life::running : Life::blocked;
  if (*life != Life::blocked) blocked_on = {};  // woken already, or not asleep yet
  return {*life, blocked_on, End::alive};
}

std::exception_ptr ThreadHandle::exception() const {
  const ThreadRecord& thread = record();
  const bool over = thread.phase() >= ThreadRecord::kTerminated;
  return over || thread.is_caller() ? thread.exception : nullptr;
}

std::string ThreadHandle::name() const {
  const waist::Registry registry;
  return record().name();
}

void ThreadHandle::set_name(std::string name) const {
  ThreadRecord& thread = record();
  const waist::Registry registry;
  thread.given_name = std::move(name);
  thread.number = 0;
  if (thread.has_pthread)
    kernel::set_name(thread.pthread.load(std::memory_order_relaxed), thread.given_name);
}

bool ThreadHandle::daemon() const { return record().daemon.load(std::memory_order_relaxed); }
void ThreadHandle::set_daemon(bool daemon) const {
  if (record().phase() != ThreadRecord::kNew) {
    throw_usage_error("thrum::Thread::set_daemon: started already, set it before start()");
  }
  record().daemon.store(daemon, std::memory_order_relaxed);
}

std::uint64_t ThreadHandle::ident() const { return record().ident.load(std::memory_order_relaxed); }

std::uint32_t ThreadHandle::native_id() const {
  ThreadRecord& thread = record();
  for (;;) {
    std::uint32_t id = thread.native_id.load(std::memory_order_relaxed);
    const bool known = id != 0 && id != ThreadRecord::kAwaited;
    const std::uint32_t state = thread.state.load(std::memory_order_seq_cst);  // [refused]
    if (known) return id;
    if ((state & ~ThreadRecord::kAwaited) != ThreadRecord::kStarted) {
      // It may have run and ended since we looked. Else the start failed, or the thread was only
      // about to run when the process forked.
      id = thread.native_id.load(std::memory_order_relaxed);
      return id != ThreadRecord::kAwaited ? id : 0;
    }
    if (id == 0) {
      // Then look again whether it starts at all.
      thread.native_id.compare_exchange_strong(id, ThreadRecord::kAwaited,
                                               std::memory_order_seq_cst,
                                               std::memory_order_relaxed);  // [refused]
      continue;
    }
    WaitingFor what{Waitable::thread, &thread};
    (void)wait(thread.native_id, ThreadRecord::kAwaited, forever, what);
  }
}

std::optional<StackInfo> ThreadHandle::stack() const {
  ThreadRecord& thread = record();
  const waist::Registry registry;
  return thread.has_pthread ? kernel::stack_of(thread.pthread.load(std::memory_order_relaxed))
                            : std::nullopt;
}

std::optional<Switches> ThreadHandle::switches() const {
  const ThreadRecord& thread = record();
  if (thread.is_caller()) return kernel::own_switches();
  return thread.is_alive() ? kernel::switches_of(native_id()) : std::nullopt;
}

bool ThreadHandle::request_stop() const { return record().request_stop(); }
std::stop_token ThreadHandle::stop_token() const { return record().stop.get_token(); }

// --- Threads

Thread::Thread(ThreadOptions options, std::unique_ptr<Body> body)
    : Thread(std::make_shared<ThreadRecord>(ThreadRecord::Origin::ours), std::move(options),
             std::move(body)) {}

Thread::Thread(std::shared_ptr<ThreadRecord> record, ThreadOptions options,
               std::unique_ptr<Body> body) {
  checked_stack_size(options.stack_size);
  for (const int cpu : options.affinity) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) {
      throw UsageError("thrum::Thread: affinity " + std::to_string(cpu) +
                       " is no processor, 0 to " + std::to_string(CPU_SETSIZE - 1) +
                       " is required");
    }
  }
  if (options.name.empty()) {
    // relaxed: only unique
    record->number = unnamed_threads.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  record->daemon.store(options.daemon ? *options.daemon : ThreadRecord::caller_is_daemon(),
                       std::memory_order_relaxed);
  record->given_name = std::move(options.name);
  record->stack_size = options.stack_size;
  record->affinity = std::move(options.affinity);
  record->body = std::move(body);
  if (options.group != nullptr) record->group = options.group->record_;
  record_ = std::move(record);
}

void Thread::start() { record().start(); }

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    let_go();
    record_ = std::move(other.record_);
  }
  return *this;
}

Thread::~Thread() { let_go(); }

void Thread::let_go() noexcept {
  if (record_ == nullptr) return;
  const std::uint32_t now = record_->phase();
  if (now == ThreadRecord::kNew || now == ThreadRecord::kReaped ||
      record_->daemon.load(std::memory_order_relaxed) || record_->is_caller()) {
    return;
  }
  record_->request_stop();
  (void)record_->join(forever);
}

std::size_t stack_size() noexcept { return default_stack_size.load(std::memory_order_relaxed); }
std::size_t set_stack_size(std::size_t bytes) {
  return default_stack_size.exchange(checked_stack_size(bytes), std::memory_order_relaxed);
}

// --- The threads there are

ThreadHandle current_thread() {
  return ThreadRecord::handle(ThreadRecord::current().shared_from_this());
}
ThreadHandle main_thread() { return ThreadRecord::handle(ThreadRecord::of_main()); }

std::vector<ThreadHandle> enumerate() {
  std::vector<ThreadHandle> handles;
  for (auto& record : ThreadRecord::all()) handles.push_back(ThreadRecord::handle(record));
  return handles;
}
std::size_t active_count() { return ThreadRecord::all().size(); }

// --- What fails in them

void excepthook(const ExceptHookArgs& args) noexcept {
  try {
    write_line("thrum: thread \"" + args.thread.name() + "\" ended by " + describe(args.exception));
  } catch (...) {
    write_line("thrum: a thread ended by an exception, and there is no memory to say which");
  }
}

ExceptHook set_excepthook(ExceptHook hook) {
  auto made = hook ? std::make_shared<const ExceptHook>(std::move(hook)) : nullptr;
  {
    const waist::Registry registry;
    hook_slot().swap(made);
  }
  return made != nullptr ? *made : ExceptHook(excepthook);
}

void report(const ThreadHandle& thread, std::exception_ptr exception) noexcept {
  const ExceptHookArgs args{thread, std::move(exception)};
  std::shared_ptr<const ExceptHook> hook;
  {
    const waist::Registry registry;
    hook = hook_slot();
  }
  if (hook == nullptr) return excepthook(args);
  try {
    (*hook)(args);
  } catch (...) {
    excepthook(args);
    write_line("thrum: and the excepthook itself threw " + describe(std::current_exception()));
  }
}

}  // namespace thrum
