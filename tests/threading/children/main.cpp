// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "threading/children/scene.h"

namespace scene {
namespace {

std::map<std::string, int (*)()>& scenes() {
  static auto& all = *new std::map<std::string, int (*)()>();  // the end of the process is a scene
  return all;
}

}  // namespace

Scene::Scene(std::string name, int (*run)()) { scenes()[std::move(name)] = run; }

void say(const std::string& line) noexcept {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) abort();
}

void until_input_ends() {
  // Asleep in usleep() only: in most other calls TSan holds signals back until they return.
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (poll(&input, 1, 0) <= 0) let_others_run();
}

void let_others_run() { usleep(100); }

void until_asleep(unsigned native_id) {
  for (;;) {
    std::ifstream file("/proc/self/task/" + std::to_string(native_id) + "/stat");
    std::string stat;
    std::getline(file, stat);
    const std::size_t bracket = stat.rfind(") ");
    if (bracket != std::string::npos && stat[bracket + 2] == 'S') return;
    let_others_run();
  }
}

}  // namespace scene

int main(int argc, char** argv) {
  alarm(240);  // a scene that hangs
  const auto found = scene::scenes().find(argc > 1 ? argv[1] : "");
  if (found == scene::scenes().end()) {
    std::fprintf(stderr, "thread_children: no such scene\n");
    return 2;
  }
  return found->second();
}
