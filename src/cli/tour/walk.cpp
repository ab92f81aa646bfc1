// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace thrum::cli {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

}  // namespace

std::string words_for(int error) {
  if (error == ENOENT) return "it vanished";
  return std::generic_category().message(error);
}

std::string below(const std::string& root, const std::string& path) {
  if (path.empty()) return root;
  return root.ends_with('/') ? root + path : root + '/' + path;
}

WalkCounts walk(const std::string& root, const std::vector<std::string>& exclude,
                const WalkEvents& events, const std::stop_token& stop) {
  WalkCounts counts;
  std::vector<std::string> pending;  // folders

  // Returns whether to go on.
  const auto meet = [&](std::string path, const struct stat& status) {
    if (S_ISDIR(status.st_mode)) {
      ++counts.folders;
      pending.push_back(std::move(path));
    } else if (S_ISREG(status.st_mode)) {
      return events.file({std::move(path), static_cast<std::uint64_t>(status.st_size)});
    } else if (S_ISLNK(status.st_mode)) {
      ++counts.symlinks;
    } else {
      ++counts.specials;
    }
    return true;
  };

  struct stat status{};
  if (stat(root.c_str(), &status) != 0) {
    events.problem({"", words_for(errno)});
    return counts;
  }
  meet("", status);

  while (!pending.empty() && !stop.stop_requested()) {
    const std::string folder = std::move(pending.back());
    pending.pop_back();
    const std::string where = below(root, folder);
    // Between the two calls a folder may have become something else: O_DIRECTORY.
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (folder.empty() ? 0 : O_NOFOLLOW);
    const int fd = open(where.c_str(), flags);
    const std::unique_ptr<DIR, CloseFolder> entries(fd < 0 ? nullptr : fdopendir(fd));
    if (!entries) {
      events.problem({folder, words_for(errno)});
      continue;
    }
    for (;;) {
      errno = 0;
      const dirent* const entry = readdir(entries.get());
      if (entry == nullptr || stop.stop_requested()) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (std::ranges::find(exclude, name) != exclude.end()) {
        ++counts.excluded;
        continue;
      }
      std::string path = folder.empty() ? std::string(name) : folder + '/' + std::string(name);
      if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        events.problem({path, words_for(errno)});
      } else if (!meet(std::move(path), status)) {
        return counts;
      }
    }
    if (errno != 0) events.problem({folder, words_for(errno)});
  }
  return counts;
}

}  // namespace thrum::cli
