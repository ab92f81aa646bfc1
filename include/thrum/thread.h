// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "thrum/config.h"
#include "thrum/deadline.h"
#include "thrum/wait.h"

namespace thrum {

class Group;
struct ThreadRecord;  // what the library knows of a thread; shared by all its handles

/// Where a thread stands in its life: new -start()-> ready <-> running <-> blocked, -> terminated.
enum class Life : std::uint8_t {
  new_,        ///< start() was not called yet
  ready,       ///< could run, waits for a processor
  running,     ///< on a processor
  blocked,     ///< waits for something
  terminated,  ///< over
};

/// How a thread ended.
enum class End : std::uint8_t {
  alive,     ///< it did not end
  returned,  ///< its target returned
  threw,     ///< an exception left its target
  exited,    ///< aborted by pthread_exit or cancellation
  forked,    ///< this is the child of a fork: the thread exists only in the parent
};

/// A thread's state at one moment; stale as soon as it is returned.
struct ThreadState {
  Life life = Life::new_;
  /// If blocked: on what and since when. Kind `nothing`: in a system call that is not ours.
  WaitingFor blocked_on{};
  End end = End::alive;

  /// Returns one line, as `blocked on a queue (get) at 0x7f..., for 1.2 s`.
  THRUM_API std::string text() const;
};

/// A thread's own memory.
struct StackInfo {
  const void* base = nullptr;  ///< lowest address
  std::size_t size_bytes = 0;
  std::size_t peak_bytes = 0;  ///< most ever used, in whole pages
};

/// How often a thread left its processor.
struct Switches {
  std::uint64_t voluntary = 0;    ///< it blocked
  std::uint64_t involuntary = 0;  ///< the scheduler took the processor away, or it yielded

  bool operator==(const Switches& other) const noexcept = default;
};

/// What a Thread may be told besides its target: `Thread({.name = "reader", .daemon = true}, f)`.
struct ThreadOptions {
  Group* group = nullptr;        ///< the thread becomes its member
  std::string name{};            ///< empty: `Thread-N`, which the OS does not hear of
  std::optional<bool> daemon{};  ///< unset: as the creating thread
  std::size_t stack_size = 0;    ///< bytes; 0: threading::stack_size()
  std::vector<int> affinity{};   ///< processors it may run on; empty: as the creating thread
};

/// Names a thread: any number of handles may name the same one, and outlive it.
class THRUM_API ThreadHandle {
 public:
  /// Names no thread; every question but operator bool throws UsageError.
  ThreadHandle() noexcept = default;

  /// Returns whether it names a thread.
  explicit operator bool() const noexcept { return record_ != nullptr; }
  bool operator==(const ThreadHandle& other) const noexcept = default;

  /// Blocks until the thread has ended, its thread_locals are destroyed and the system has let it
  /// go. Any number of times, from any number of threads.
  /// Throws  UsageError if it was not started, is the caller, or was not made by this library.
  ///         Never what the thread threw: see exception().
  /// Order   after everything the thread did.
  void join() const;

  /// The same, giving up at `deadline`.
  /// Returns whether it has ended.
  [[nodiscard]] bool join(const Deadline& deadline) const;

  /// Returns whether the thread was started and has not ended.
  bool is_alive() const;

  /// Returns what the thread does now.
  /// Cost    some microseconds: it asks the kernel.
  ThreadState state() const;

  /// Returns the exception that left the target, or null.
  std::exception_ptr exception() const;

  std::string name() const;
  /// Renames the thread, for the OS as well (there the first 15 bytes, cut between characters).
  void set_name(std::string name) const;

  /// Returns whether the process may end without waiting for the thread.
  bool daemon() const;
  /// Throws  UsageError once the thread was started.
  void set_daemon(bool daemon) const;

  /// Returns the thread's number in this process, never reused; 0 before start().
  std::uint64_t ident() const;
  /// Returns the kernel's id; 0 before start(), and before a timer's time has come. Waits for a
  /// starting thread to know its own.
  std::uint32_t native_id() const;

  /// Returns where the thread's stack is; nothing before start() and after the end.
  std::optional<StackInfo> stack() const;
  /// Returns how often the thread was switched so far; nothing before start() and after the end.
  /// Cost    a system call for the caller's own, some microseconds for another's.
  std::optional<Switches> switches() const;

  /// Asks the thread to stop, by its token.
  /// Returns whether this call was the first to ask.
  bool request_stop() const;
  /// Returns the token that request_stop() triggers.
  std::stop_token stop_token() const;

  /// Returns one line: name, state, ids.
  std::string text() const;

 protected:
  friend struct ThreadRecord;
  explicit ThreadHandle(std::shared_ptr<ThreadRecord> record) noexcept
      : record_(std::move(record)) {}
  ThreadRecord& record() const;

  std::shared_ptr<ThreadRecord> record_;
};

/// A thread: created new, runs at start(), at most once.
///
///     Thread worker({.name = "worker"}, [](int n) { ... }, 42);
///     worker.start();
///     worker.join();
///
/// Owns its thread: the destructor requests stop and joins, unless that was done, but lets a daemon
/// thread go. Arguments are decayed and moved in, and destroyed as soon as the target is done. If
/// the target takes a std::stop_token first, it gets the thread's own. An exception that leaves the
/// target ends the thread, not the process: it is kept, see exception(), and reported by
/// threading::excepthook. At the end of the process non-daemon threads are asked to stop and
/// joined. For many threads with one fate, use Group.
/// Like    threading.Thread; std::jthread.
class THRUM_API Thread : public ThreadHandle {
 protected:
  // What a thread runs.
  class Body {
   public:
    virtual ~Body() = default;
    virtual void run(std::stop_token stop) = 0;
  };

 public:
  /// A thread with nothing to run.
  Thread() : Thread(ThreadOptions{}) {}
  explicit Thread(ThreadOptions options) : Thread(std::move(options), std::unique_ptr<Body>()) {}

  /// Throws  UsageError for options that no system could grant.
  template <class Target, class... Args>
    requires(!std::is_base_of_v<ThreadHandle, std::decay_t<Target>> &&
             !std::is_same_v<std::decay_t<Target>, ThreadOptions>)
  explicit Thread(Target&& target, Args&&... args)
      : Thread(ThreadOptions{}, bind(std::forward<Target>(target), std::forward<Args>(args)...)) {}

  template <class Target, class... Args>
  Thread(ThreadOptions options, Target&& target, Args&&... args)
      : Thread(std::move(options),
               bind(std::forward<Target>(target), std::forward<Args>(args)...)) {}

  Thread(Thread&& other) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  /// Starts the thread.
  /// Throws  UsageError if it was started before; std::system_error if the system refuses, the
  ///         thread is new again then.
  /// Order   before everything the thread does.
  void start();

 protected:
  friend struct ThreadRecord;
  Thread(ThreadOptions options, std::unique_ptr<Body> body);
  Thread(std::shared_ptr<ThreadRecord> record, ThreadOptions options, std::unique_ptr<Body> body);

  template <class Target, class... Args>
  static std::unique_ptr<Body> bind(Target&& target, Args&&... args) {
    return std::make_unique<Bound<std::decay_t<Target>, std::decay_t<Args>...>>(
        std::forward<Target>(target), std::forward<Args>(args)...);
  }

 private:
  void let_go() noexcept;

  template <class Target, class... Args>
  class Bound final : public Body {
   public:
    template <class T, class... A>
    explicit Bound(T&& target, A&&... args)
        : target_(std::forward<T>(target)), args_(std::forward<A>(args)...) {}
    void run(std::stop_token stop) override {
      std::apply(
          [&](Args&... args) {
            if constexpr (std::is_invocable_v<Target, std::stop_token, Args...>) {
              std::invoke(std::move(target_), std::move(stop), std::move(args)...);
            } else {
              std::invoke(std::move(target_), std::move(args)...);
            }
          },
          args_);
    }

   private:
    Target target_;
    std::tuple<Args...> args_;
  };
};

namespace threading = ::thrum;

/// Returns the calling thread. One that this library did not make is called `Dummy-N` (the main
/// thread `MainThread`) and listed until it ends.
THRUM_API ThreadHandle current_thread();
/// Returns the thread that runs main(); in the child of a fork, the one that forked.
THRUM_API ThreadHandle main_thread();
/// Returns all threads that were started and have not ended: ours, the main thread, and those that
/// called current_thread().
THRUM_API std::vector<ThreadHandle> enumerate();
/// Returns how many threads enumerate() would list.
THRUM_API std::size_t active_count();
/// Returns self().ident.
inline std::uint64_t get_ident() noexcept { return self().ident; }
/// Returns self().native_id.
inline std::uint32_t get_native_id() noexcept { return self().native_id; }

/// Returns the stack size of threads that do not ask for one, in bytes; 0: the system's.
THRUM_API std::size_t stack_size() noexcept;
/// Returns what it was.
/// Throws  UsageError if `bytes` is neither 0 nor what the system allows at least.
THRUM_API std::size_t set_stack_size(std::size_t bytes);

/// What an excepthook is told.
struct ExceptHookArgs {
  ThreadHandle thread;
  std::exception_ptr exception;
};
using ExceptHook = std::function<void(const ExceptHookArgs&)>;

/// Reports an exception that left a thread's target: one line to stderr with the thread's name, the
/// exception's type and its what(). What is called unless set_excepthook() says otherwise.
THRUM_API void excepthook(const ExceptHookArgs& args) noexcept;
/// Replaces what is called, once, in the thread that failed. If it throws itself, both exceptions
/// go to stderr. An empty one restores excepthook().
/// Returns what it was.
THRUM_API ExceptHook set_excepthook(ExceptHook hook);

/// Returns a text with every thread of the process: name, ids, state, what it waits for, since
/// when, who holds it; then each deadlock, a cycle of threads that wait for each other. Threads
/// that never used this library are listed as the kernel knows them.
/// Cost    some files of /proc for each thread; holds up threads that start or end meanwhile.
THRUM_API std::string dump_text();
/// Prints dump_text() to stderr. In a debugger: `call thrum_dump()`.
THRUM_API void dump() noexcept;
/// Prints dump() whenever the process gets `signal`, from a daemon thread of its own that this
/// starts. Typically SIGQUIT: `kill -QUIT PID`, or Ctrl-\ in a terminal.
/// Throws  std::system_error if the signal cannot be caught or the thread not be made.
THRUM_API void dump_on_signal(int signal);

}  // namespace thrum

extern "C" THRUM_API void thrum_dump();
