// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What it costs to go from one thread to another, and from one process to another.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace thrum::cli {

/// The middle of many measurements, and where all but the outermost tenths lie.
struct Spread {
  double median_ns = 0;
  double p10_ns = 0;
  double p90_ns = 0;
};

/// Two partners play ball: a byte through one pipe and back through another. When both are bound to
/// one processor, each throw makes it switch from the one to the other.
struct SwitchCosts {
  Spread thread;   ///< one throw, write and read included, between threads of this process
  Spread process;  ///< the same between this process and a fork of it
  Spread calls;    ///< one write and one read without anybody to switch to
  double thread_switches_per_throw = 0;  ///< as the kernel counts them
  double process_switches_per_throw = 0;
  int rounds = 0;        ///< measurements of each kind, taken in turns
  int throws = 0;        ///< in each of them
  int cpu = -1;          ///< where they played; -1: not bound
  std::string failed{};  ///< why there are no figures; empty: there are
};

SwitchCosts measure_switch_costs(const std::stop_token& stop);

}  // namespace thrum::cli
