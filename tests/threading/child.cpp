// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "threading/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "support/blocked.h"

namespace thrum::test {
namespace {

std::string program() {
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return (here.parent_path() / "children" / "thread_children").string();
}

std::string all_of(int file) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t n = pread(file, part.data(), part.size(), static_cast<off_t>(text.size()));
    if (n <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(n));
  }
}

// Returns a file in memory to append to: two writes at a shared offset may overwrite each other.
int memory_file(const char* name) {
  const int file = memfd_create(name, MFD_CLOEXEC);
  if (fcntl(file, F_SETFL, O_APPEND) != 0) std::abort();
  return file;
}

// What the sanitizers must be told: TSan ends the child of a fork that starts a thread, and takes a
// thread that nobody joined at the end for a leak; LSan, what is held by threads that a fork left
// behind, or by the stack of a main thread that is gone.
std::vector<std::string> environment(const std::string& scene) {
  std::vector<std::string> all;
  const auto with = [](const char* name, const char* more) {
    const char* const before = std::getenv(name);
    return std::string(name) + "=" + (before != nullptr ? std::string(before) + ":" : "") + more;
  };
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string text = *one;
    if (!text.starts_with("TSAN_OPTIONS=") && !text.starts_with("ASAN_OPTIONS=")) {
      all.push_back(text);
    }
  }
  all.push_back(with("TSAN_OPTIONS", "die_after_fork=0:report_thread_leaks=0"));
  const bool leaks = scene.starts_with("fork") || scene == "exit.main_calls_pthread_exit" ||
                     scene == "exit.main_leaves_timers";
  all.push_back(with("ASAN_OPTIONS", leaks ? "detect_leaks=0" : ""));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Child::Child(std::vector<std::string> arguments)
    : out_(memory_file("out")), err_(memory_file("err")) {
  std::array<int, 2> input{};
  if (pipe2(input.data(), O_CLOEXEC) != 0) std::abort();
  input_ = input[1];
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out_, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err_, STDERR_FILENO);
  std::vector<std::string> variables = environment(arguments.at(0));
  arguments.insert(arguments.begin(), program());
  const int error = posix_spawn(&pid_, arguments[0].c_str(), &files, nullptr,
                                pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  close(input[0]);
  EXPECT_EQ(error, 0) << arguments[0];
}

Child::~Child() {
  if (ended_.empty()) kill(pid_, SIGKILL);
  wait();
  close_input();
  close(out_);
  close(err_);
}

void Child::close_input() {
  if (input_ >= 0) close(std::exchange(input_, -1));
}

std::string Child::out() const { return all_of(out_); }
std::string Child::err() const { return all_of(err_); }

void Child::expect_line(const std::string& line) { expect(line + "\n", out_, out_read_); }
void Child::expect_error(const std::string& part) { expect(part, err_, err_read_); }

void Child::expect(const std::string& part, int file, std::size_t& from) {
  std::size_t at = std::string::npos;
  until([&] {
    at = all_of(file).find(part, from);
    poll();
    return at != std::string::npos || !ended_.empty();
  });
  if (at == std::string::npos) at = all_of(file).find(part, from);
  ASSERT_NE(at, std::string::npos) << part << " expected in: " << all_of(file) << ended_;
  from = at + part.size();
}

void Child::poll() {
  int status = 0;
  if (!ended_.empty() || waitpid(pid_, &status, WNOHANG) != pid_) return;
  ended_ = WIFEXITED(status) ? "exited " + std::to_string(WEXITSTATUS(status))
                             : "killed by signal " + std::to_string(WTERMSIG(status));
}

const std::string& Child::wait() {
  until([&] {
    poll();
    return !ended_.empty();
  });
  return ended_;
}

}  // namespace thrum::test
