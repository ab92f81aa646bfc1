// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// synthetic FILE [SLICES [THREADS]]: writes a recording of threads that run, are forced off, wait
// for locks and in the kernel; about so many slices, and of a queue. The same for the same numbers.
// With FILE and `hostile` it writes one whose every name is made to harm whoever shows it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "analysis/recording.h"

namespace {

using namespace thrum::analysis;
using thrum::trace::End;
using thrum::trace::Event;
using thrum::trace::Kind;
using thrum::trace::Type;

constexpr std::uint64_t kLock = 0x10000, kSite = 0x400000;
constexpr std::uint64_t kQueue = 0x8000;
constexpr std::uint64_t kLocks = 24, kSites = 40;

class Synthetic {
 public:
  Synthetic(std::uint64_t slices, std::uint64_t threads) : slices_(slices), threads_(threads) {}

  void write(const std::string& path, bool hostile) {
    for (std::uint64_t i = 0; i < threads_; ++i) live(i);
    RecordingWriter writer(path);
    const std::string bad = "</script><img src=x onerror=alert(1)>\xe2\x80\xae\x1b[31m\xff\x01\n";
    writer.write(Chunk::meta, Json{{"command", {hostile ? bad : "./synthetic", "--flag"}},
                                   {"ns_per_tick", 1.0},
                                   {"level", "recorder and switch records"},
                                   {"cannot_tell", "anything true: this was made up"},
                                   {"advice", ""}});
    writer.write(Process{1, 1000, 1, 0, {{0, 0, 1, hostile ? bad : "/usr/bin/synthetic"}}});
    for (Life& life : lives_) {
      if (hostile) life.thread.name = bad.substr(0, 15);
      writer.write(life.thread);
      std::ranges::stable_sort(life.events, {}, &Event::when);
      constexpr std::size_t kTogether = 100'000;
      for (std::size_t at = 0; at < life.events.size(); at += kTogether) {
        const auto all = std::span<const Event>(life.events);
        writer.write_events(life.thread.serial,
                            all.subspan(at, std::min(kTogether, all.size() - at)));
      }
      writer.write(SchedulerRecords{.switches = life.switches});
    }
    const Json queue = write_queue(writer, hostile ? bad : "jobs");
    Json places = Json::array(), objects = Json::array();
    for (std::uint64_t i = 0; i < kSites; ++i) {
      const std::string name = hostile ? bad : "stage_" + std::to_string(i % 9) + "(Job&)";
      places.push_back({1, kSite + i,
                        Json::array({Json::array({name, hostile ? bad : "/src/synthetic.cpp",
                                                  10 * i + 7, "/usr/bin/synthetic"})})});
    }
    for (std::uint64_t i = 0; i < kLocks; ++i) {
      objects.push_back({1, kLock + i * 64, hostile ? bad : "lock_" + std::to_string(i)});
    }
    writer.write(Chunk::symbols, Json{{"places", std::move(places)},
                                      {"stacks", Json::array()},
                                      {"objects", std::move(objects)},
                                      {"names", Json::array({queue})}});
    writer.write(Chunk::end, Json{{"ns", end_},
                                  {"ns_per_tick", 1.0},
                                  {"exited", 0},
                                  {"signal", nullptr},
                                  {"schedules", Json::array()}});
    writer.commit();
  }

 private:
  struct Life {
    Thread thread{};
    std::vector<Event> events{};
    std::vector<Switch> switches{};
  };

  // It is filled and emptied, one item after the other, in eight equal parts of the whole time.
  // Returns its name, as symbols have it.
  Json write_queue(RecordingWriter& writer, const std::string& name) const {
    constexpr std::uint64_t kLimit = 5, kParts = 8;
    writer.write(Queue{1, 1, kQueue, kLimit, 1, end_});
    std::vector<Depth> depths;
    for (std::uint64_t part = 0; part < kParts; ++part) {
      const std::uint64_t items = part < kParts / 2 ? part : kParts - part;
      depths.push_back({part * end_ / kParts, 1, static_cast<std::uint32_t>(items)});
    }
    writer.write(std::span<const Depth>(depths));
    return {1, kQueue, 1, name};
  }

  std::uint64_t some(double median) {
    return 300 + static_cast<std::uint64_t>(median * std::exp(1.3 * normal_(random_)));
  }

  void live(std::uint64_t index) {
    if (lives_.empty()) lives_.resize(threads_);
    Life& life = lives_[index];
    Thread& thread = life.thread;
    thread.serial = index + 1;
    thread.creator = index == 0 ? 0 : 1;
    thread.process = 1;
    thread.tid = static_cast<std::uint32_t>(1000 + index);
    thread.name = index == 0 ? "main" : "worker-" + std::to_string(index);
    // They come one after the other, as a pool's do.
    const std::uint64_t created = index * 40'000;
    thread.created = index == 0 ? 0 : created;
    thread.started = created + (index == 0 ? 1 : 30'000);
    std::uint64_t now = thread.started;
    const auto cpu = static_cast<std::uint16_t>(index % 4);
    const auto change = [&](std::uint16_t flags) {
      life.switches.push_back({now, thread.tid, cpu, flags});
    };
    change(0);
    for (std::uint64_t made = 2; made < slices_ / threads_;) {
      now += some(20'000);
      const std::uint64_t choice = random_() % 10;
      if (choice < 3) {
        change(Switch::kOut | Switch::kPreempted);
        now += some(30'000);
        change(0);
        made += 2;
      } else if (choice < 8) {
        const std::uint64_t lock = kLock + random_() % kLocks * 64;
        const std::uint64_t site = kSite + random_() % kSites;
        const std::uint64_t other = random_() % threads_;
        life.events.push_back({(now - 200) << 8 | static_cast<std::uint64_t>(Type::wait_begin),
                               thrum::trace::pack(lock, Kind::mutex), site, 1000 + other});
        change(Switch::kOut);
        now += some(25'000);
        if (other != index) {
          lives_[other].events.push_back({now << 8 | static_cast<std::uint64_t>(Type::release),
                                          thrum::trace::pack(lock, Kind::mutex), site, 1});
        }
        now += some(3'000);
        change(0);
        life.events.push_back({(now + 100) << 8 | static_cast<std::uint64_t>(Type::wait_end),
                               thrum::trace::pack(lock, Kind::mutex), site, 0});
        made += 3;
      } else {
        change(Switch::kOut);
        now += some(60'000);
        change(0);
        made += 2;
      }
    }
    now += 1000;
    change(Switch::kOut | Switch::kExit);
    thread.ended = now;
    thread.end = End::returned;
    end_ = std::max(end_, now + 5000);
  }

  const std::uint64_t slices_, threads_;
  std::vector<Life> lives_{};
  std::uint64_t end_ = 0;
  std::mt19937_64 random_{7};
  std::normal_distribution<double> normal_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "synthetic FILE [SLICES [THREADS]] | FILE hostile\n";
    return 2;
  }
  const bool hostile = argc > 2 && std::string(argv[2]) == "hostile";
  const std::uint64_t slices = argc > 2 && !hostile ? std::strtoull(argv[2], nullptr, 10) : 1000;
  const std::uint64_t threads = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 32;
  Synthetic(slices, std::max<std::uint64_t>(1, threads)).write(argv[1], hostile);
}
