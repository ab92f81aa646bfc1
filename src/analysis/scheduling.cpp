// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/scheduling.h"

#include <fmt/format.h>

#include <fstream>
#include <string>

namespace thrum::analysis {

void SchedulingSampler::sample(const std::vector<Moment>& threads) {
  for (const Moment& thread : threads) {
    const std::string folder = fmt::format("/proc/{}/task/{}/", thread.pid, thread.tid);
    Schedule schedule;
    if (!(std::ifstream(folder + "schedstat") >> schedule.running_ns >> schedule.ready_ns))
      continue;
    std::ifstream status(folder + "status");
    for (std::string key; status >> key;) {
      if (key == "voluntary_ctxt_switches:") status >> schedule.voluntary;
      if (key == "nonvoluntary_ctxt_switches:") status >> schedule.involuntary;
    }
    schedules_[thread.tid] = schedule;
  }
}

}  // namespace thrum::analysis
