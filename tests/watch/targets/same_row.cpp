// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Four locks that are taken in turn, at one place, and that the recorder counts in the same row of
// its table: so often as the argument says.
#include <pthread.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

// The call site is in the upper bits of what is mixed, so that what differs is the place in this.
constexpr std::size_t kArena = 1u << 16;
alignas(kArena) unsigned char arena[kArena];

std::vector<pthread_mutex_t*> of_one_row() {
  const auto mixed = [](std::size_t offset) { return offset * 0x9E3779B97F4A7C15u; };
  std::vector<pthread_mutex_t*> found;
  for (std::size_t at = 0; at + sizeof(pthread_mutex_t) <= kArena && found.size() < 4;) {
    if (mixed(at) >> 54 != 0) {
      at += alignof(pthread_mutex_t);
      continue;
    }
    found.push_back(new (arena + at) pthread_mutex_t);
    pthread_mutex_init(found.back(), nullptr);
    at += sizeof(pthread_mutex_t);
  }
  return found;
}

}  // namespace

int main(int, char** argv) {
  const std::vector<pthread_mutex_t*> locks = of_one_row();
  for (int i = std::atoi(argv[1]); i > 0; --i) {
    for (pthread_mutex_t* const lock : locks) {
      pthread_mutex_lock(lock);
      pthread_mutex_unlock(lock);
    }
  }
  return locks.size() == 4 ? 0 : 1;
}
