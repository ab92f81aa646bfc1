// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <utility>

#include "thrum/config.h"
#include "thrum/deadline.h"
#include "thrum/thread.h"

namespace thrum {

struct GroupRecord;

/// Threads with one fate: started together, joined together; the first that fails asks the rest to
/// stop, and join() rethrows what it threw.
///
///     Group group;
///     for (auto& part : parts) group.start([&](std::stop_token stop) { work(part, stop); });
///     group.join();
///
/// The destructor requests stop and joins; a failure that no join() rethrew goes to
/// threading::excepthook then, and so does every failure after the first. A Thread of yours becomes
/// a member by `Thread({.group = &group}, ...)`.
class THRUM_API Group {
 public:
  Group();
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// Makes a member and starts it.
  /// Throws  std::system_error if the system refuses: the others are stopped and joined then.
  template <class Target, class... Args>
    requires(!std::is_same_v<std::decay_t<Target>, ThreadOptions>)
  ThreadHandle start(Target&& target, Args&&... args) {
    return start(ThreadOptions{}, std::forward<Target>(target), std::forward<Args>(args)...);
  }
  template <class Target, class... Args>
  ThreadHandle start(ThreadOptions options, Target&& target, Args&&... args) {
    options.group = this;
    return start(
        Thread(std::move(options), std::forward<Target>(target), std::forward<Args>(args)...));
  }

  /// Blocks until every member has ended, also those that members start meanwhile.
  /// Throws  what the first failing member threw, once; UsageError if the caller is a member.
  void join();
  /// The same, giving up at `deadline`.
  /// Returns whether every member has ended.
  [[nodiscard]] bool join(const Deadline& deadline);

  /// Asks all members to stop, also those that start later.
  /// Returns whether this call was the first to ask.
  bool request_stop();
  std::stop_token stop_token() const;

  /// Returns how many members have not ended; stale as soon as it is returned.
  std::size_t active_count() const;

 private:
  friend class Thread;
  ThreadHandle start(Thread thread);

  std::shared_ptr<GroupRecord> record_;
};

}  // namespace thrum
