// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/target.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <system_error>

namespace thrum::analysis {
namespace {

struct Pipe {
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe");
    }
  }
  int ends[2] = {-1, -1};
};

}  // namespace

Target::Target(std::string path, std::vector<std::string> command,
               const std::vector<std::pair<std::string, std::string>>& environment) {
  const Pipe go;
  const Pipe error;
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    close(go.ends[1]);
    char c = 0;
    if (read(go.ends[0], &c, 1) != 1) _exit(127);  // nobody watches any more
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    execv(path.c_str(), arguments.data());
    int why = errno;
    if (why == ENOEXEC) {  // a script without #!: the shell's, as execvp does
      std::vector<char*> shell{const_cast<char*>("/bin/sh"), path.data()};
      shell.insert(shell.end(), arguments.begin() + 1, arguments.end());
      execv("/bin/sh", shell.data());
      why = errno;
    }
    [[maybe_unused]] const ssize_t written = write(error.ends[1], &why, sizeof why);
    _exit(127);
  }
  close(go.ends[0]);
  close(error.ends[1]);
  go_ = go.ends[1];
  error_ = error.ends[0];
}

Target::~Target() {
  if (go_ >= 0) close(go_);
  if (error_ >= 0) close(error_);
  if (!ended_ && pid_ > 0) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

int Target::go() {
  [[maybe_unused]] const ssize_t written = write(go_, "g", 1);
  int why = 0;
  ssize_t got = 0;
  do {
    got = read(error_, &why, sizeof why);  // ends when exec closes it
  } while (got < 0 && errno == EINTR);
  return got == sizeof why ? why : 0;
}

bool Target::has_ended(int& wait_status) {
  if (!ended_ && waitpid(pid_, &wait_status, WNOHANG) == pid_) ended_ = true;
  return ended_;
}

void Target::kill(int signal) const {
  if (!ended_) ::kill(pid_, signal);
}

std::string watch_library() {
  char self[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self);
  if (n <= 0) return {};
  const std::string exe(self, static_cast<std::size_t>(n));
  const std::string folder = exe.substr(0, exe.rfind('/'));
  char real[PATH_MAX];
  if (realpath((folder + "/" THRUM_WATCH_LIBRARY).c_str(), real) == nullptr) return {};
  return real;
}

}  // namespace thrum::analysis
