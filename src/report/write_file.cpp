// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "report/reports.h"

namespace thrum::report {

void write_file(const std::string& path, const std::string& what) {
  const auto fail = [&](int error) {
    throw CannotWrite(path, std::generic_category().message(error));
  };
  // A name that nobody else can have made before us.
  std::string temporary;
  int file = -1;
  for (int i = 0; file < 0; ++i) {
    temporary = fmt::format("{}.{}-{}.part", path, getpid(), i);
    file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && (errno != EEXIST || i >= 100)) fail(errno);
  }
  int error = 0;
  for (std::size_t at = 0; at < what.size() && error == 0;) {
    const ssize_t n = write(file, what.data() + at, what.size() - at);
    if (n > 0) at += static_cast<std::size_t>(n);
    if (n < 0 && errno != EINTR) error = errno;
  }
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return;
  unlink(temporary.c_str());
  fail(error);
}

std::string sibling(const std::string& recording, const std::string& ending) {
  const bool usual = recording.ends_with(".thrum");
  return recording.substr(0, recording.size() - (usual ? 6 : 0)) + ending;
}

}  // namespace thrum::report
