// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/group.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "threading/thread_record.h"
#include "thrum/lock.h"

namespace thrum {

struct GroupRecord {
  // Returns a member that is not joined yet, an empty handle if none is left.
  ThreadHandle last() {
    const Guard guard(lock);
    return members.empty() ? ThreadHandle() : members.back();
  }
  void remove(const ThreadHandle& member) {
    const Guard guard(lock);
    std::erase(members, member);
  }

  void add(const ThreadHandle& member) {
    {
      const Guard guard(lock);
      // A group that lives long does not remember all it ever had.
      if (members.size() == members.capacity()) {
        std::erase_if(members, [](const ThreadHandle& one) { return !one.is_alive(); });
      }
      members.push_back(member);
    }
    // After it is in the list: request_stop() sees it, or we see the request.
    if (stop.stop_requested()) member.request_stop();
  }

  bool request_stop() {
    const bool first = stop.request_stop();
    std::vector<ThreadHandle> asked;
    {
      const Guard guard(lock);
      asked = members;
    }
    for (const ThreadHandle& member : asked) member.request_stop();
    return first;
  }

  // Not by the list: a member may run before it is in it.
  bool caller_is_member() const { return ThreadRecord::group_of_caller() == this; }
  void remove_caller() {
    const Guard guard(lock);
    std::erase_if(members,
                  [](const ThreadHandle& member) { return ThreadRecord::of(member).is_caller(); });
  }

  // Returns false if it gave up.
  bool join(const Deadline& deadline) {
    while (const ThreadHandle member = last()) {
      if (!member.join(deadline)) return false;
      remove(member);
    }
    return true;
  }

  std::exception_ptr take_failure() {
    const Guard guard(lock);
    return std::exchange(failure, nullptr);
  }

  Lock lock;
  std::vector<ThreadHandle> members;  // guarded by lock, as the next two
  std::exception_ptr failure;
  ThreadHandle failed;
  std::stop_source stop;
};

bool keep_failure(GroupRecord& group, const ThreadHandle& member,
                  std::exception_ptr exception) noexcept {
  bool first = false;
  {
    const Guard guard(group.lock);
    first = group.failure == nullptr;
    if (first) {
      group.failure = std::move(exception);
      group.failed = member;
    }
  }
  group.request_stop();
  return first;
}

void add_member(GroupRecord& group, const ThreadHandle& member) { group.add(member); }

Group::Group() : record_(std::make_shared<GroupRecord>()) {}

Group::~Group() {
  record_->request_stop();
  record_->remove_caller();  // a member that destroys its group cannot join itself
  (void)record_->join(forever);
  if (auto failure = record_->take_failure()) report(record_->failed, failure);
}

ThreadHandle Group::start(Thread thread) {
  try {
    thread.start();
  } catch (...) {
    record_->request_stop();
    // A member cannot join itself, nor wait for one that may be here as well: who joins, does.
    if (!record_->caller_is_member()) (void)record_->join(forever);
    throw;
  }
  return ThreadRecord::release(std::move(thread));
}

void Group::join() { (void)join(forever); }

bool Group::join(const Deadline& deadline) {
  if (record_->caller_is_member()) {
    throw_usage_error("thrum::Group::join: the caller is a member, join it from another thread");
  }
  if (!record_->join(deadline)) return false;
  if (auto failure = record_->take_failure()) std::rethrow_exception(failure);
  return true;
}

bool Group::request_stop() { return record_->request_stop(); }
std::stop_token Group::stop_token() const { return record_->stop.get_token(); }

std::size_t Group::active_count() const {
  const Guard guard(record_->lock);
  return static_cast<std::size_t>(
      std::count_if(record_->members.begin(), record_->members.end(),
                    [](const ThreadHandle& member) { return member.is_alive(); }));
}

}  // namespace thrum
