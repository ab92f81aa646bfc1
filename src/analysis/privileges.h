// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace thrum::analysis {

/// Root's rights, of which few things need any: what is read from a program is parsed without.
/// Started by sudo, all is done as the user who did, but for what raise() brackets. Root without
/// sudo stays root. One object in a process, which has one thread.
class Privileges {
 public:
  /// `as_root`: not even under sudo become somebody else.
  explicit Privileges(bool as_root);
  Privileges(const Privileges&) = delete;
  Privileges& operator=(const Privileges&) = delete;

  /// Returns who started us by sudo, if all is done as that user.
  const std::optional<std::string>& user() const { return user_; }
  /// Returns the variables of the environment that tell a program whose it is; none without sudo.
  const std::vector<std::pair<std::string, std::string>>& environment() const {
    return environment_;
  }

  /// Has the rights while it exists.
  class Raised {
   public:
    explicit Raised(const Privileges& from);
    ~Raised();
    Raised(const Raised&) = delete;
    Raised& operator=(const Raised&) = delete;

   private:
    uid_t uid_;
  };
  Raised raise() const { return Raised(*this); }

  /// Gives all rights up for good, but the one to read other users' processes if it is needed; also
  /// those that the file of this program has. A child may then open what this process has open.
  void drop(bool read_others = false);

 private:
  std::optional<std::string> user_;
  std::vector<std::pair<std::string, std::string>> environment_;
  uid_t uid_ = 0;
  bool way_back_ = false;
};

}  // namespace thrum::analysis
