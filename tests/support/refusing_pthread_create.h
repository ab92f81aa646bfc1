// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace thrum::test {

/// Makes one pthread_create() of the calling thread fail as if the system had no thread left: the
/// `after`-th next, counted from 0. Before it fails, `meanwhile` is called.
class Refusal {
 public:
  explicit Refusal(int after, std::function<void()> meanwhile = {});
  ~Refusal();
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;

  /// Returns whether the library's calls come by here: not those of a shared build.
  static bool possible();
};

/// Makes the next pthread_create() of the thread that the kernel calls `name` fail.
class RefusalTo {
 public:
  explicit RefusalTo(const std::string& name);
  ~RefusalTo();
  RefusalTo(const RefusalTo&) = delete;
  RefusalTo& operator=(const RefusalTo&) = delete;
};

}  // namespace thrum::test
