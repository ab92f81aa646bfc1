// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace thrum::analysis {
namespace {

std::optional<uid_t> number_of(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return {};
  uid_t number = 0;
  const char* const end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, number);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

void check(long result) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), "giving up rights");
}

void set_capabilities(std::uint64_t set) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (int i = 0; i < 2; ++i) {
    data[i].effective = data[i].permitted = static_cast<std::uint32_t>(set >> 32 * i);
  }
  check(syscall(SYS_capset, &head, data));
}

}  // namespace

// The saved user id stays root's until drop(): the way back for raise().
Privileges::Privileges(bool as_root) {
  const auto uid = number_of("SUDO_UID"), gid = number_of("SUDO_GID");
  if (as_root || geteuid() != 0 || !uid || !gid || *uid == 0) return;
  uid_ = *uid;
  const passwd* const entry = getpwuid(uid_);
  user_ = entry != nullptr ? entry->pw_name : std::to_string(uid_);
  if (entry != nullptr) {
    environment_ = {{"HOME", entry->pw_dir}, {"USER", *user_}, {"LOGNAME", *user_}};
    check(initgroups(entry->pw_name, *gid));
  } else {
    check(setgroups(0, nullptr));
  }
  check(setresgid(*gid, *gid, *gid));
  check(setresuid(uid_, uid_, 0));
  way_back_ = true;
}

Privileges::Raised::Raised(const Privileges& from) : uid_(from.way_back_ ? from.uid_ : 0) {
  if (uid_ != 0) check(seteuid(0));
}

Privileges::Raised::~Raised() {
  if (uid_ != 0 && seteuid(uid_) != 0) std::abort();  // never go on with more than was asked for
}

void Privileges::drop(bool read_others) {
  if (geteuid() == 0) return;  // root itself
  constexpr auto bit = [](int capability) { return std::uint64_t{1} << capability; };
  const bool has_root = std::exchange(way_back_, false);
  if (has_root) {
    check(seteuid(0));
    if (read_others) check(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    check(setresuid(uid_, uid_, uid_));
  }
  set_capabilities(has_root && read_others ? bit(CAP_SYS_PTRACE) | bit(CAP_DAC_READ_SEARCH) : 0);
  // Who changes its rights is closed to its own user, and the program has to open our memory.
  check(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

}  // namespace thrum::analysis
