// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/places.h"
#include "report/reports.h"

namespace thrum::report {

using analysis::Inversion;
using analysis::Life;
using analysis::LockSite;
using analysis::State;

namespace {

Json thread_json(const Life& life, bool knows_next) {
  Json states = Json::object();
  for (std::size_t i = 0; i < analysis::kStates; ++i) {
    states[std::string(analysis::name_of(static_cast<State>(i))) + "_ns"] = life.ns[i];
  }
  Json json{{"serial", life.thread->serial},
            {"creator", life.thread->creator},
            {"process", life.thread->process},
            {"tid", life.thread->tid},
            {"name", life.name},
            {"begin_ns", life.begin},
            {"end_ns", life.end},
            {"end", analysis::text_of_end(*life.thread)},
            {"states", std::move(states)},
            {"waits", life.waits.size()},
            {"events_lost", life.thread->lost}};
  if (life.switches_known) {
    json["switches"] = {{"voluntary", life.voluntary},
                        {"involuntary", life.involuntary},
                        {"thread", life.thread_switches},
                        {"left_process", life.left_process}};
    if (knows_next) json["switches"]["idle"] = life.left_idle;
  }
  return json;
}

Json threads_json(const std::map<std::uint64_t, std::uint64_t>& times) {
  Json list = Json::array();
  for (const auto& [serial, n] : times) list.push_back({{"thread", serial}, {"times", n}});
  return list;
}

Json other_json(const LockSite& site) {
  return Json{{"process", site.process},
              {"object", site.object_name},
              {"kind", analysis::name_of(site.kind)},
              {"site", site.site},
              {"waits", site.contended},
              {"total_wait_ns", site.total_ns},
              {"p50_wait_ns", site.p50_ns},
              {"p99_wait_ns", site.p99_ns},
              {"max_wait_ns", site.max_ns},
              {"let_go_by", threads_json(site.wakers)}};
}

Json lock_json(const LockSite& site) {
  return Json{{"process", site.process},
              {"lock", site.object_name},
              {"kind", analysis::name_of(site.kind)},
              {"site", site.site},
              {"acquisitions", site.acquisitions},
              {"contended", site.contended},
              {"total_wait_ns", site.total_ns},
              {"p50_wait_ns", site.p50_ns},
              {"p99_wait_ns", site.p99_ns},
              {"max_wait_ns", site.max_ns},
              {"held_samples", site.held_samples},
              {"held_mean_ns", site.held_mean_ns},
              {"held_max_ns", site.held_max_ns},
              {"held_meanwhile_by", threads_json(site.holders)}};
}

Json queue_json(const analysis::QueueUse& use) {
  const auto waits = [](const analysis::QueueUse::Waits& one) {
    return Json{{"waits", one.n}, {"total_wait_ns", one.total_ns}, {"max_wait_ns", one.max_ns}};
  };
  Json depth = Json::object(), points = Json::array();
  if (!use.depth.empty()) {
    depth = {{"least", use.least}, {"mean", use.mean}, {"most", use.most}};
  }
  for (const analysis::QueueUse::Point& point : use.depth) {
    points.push_back({point.ns, point.items});
  }
  return Json{{"process", use.process},  {"queue", use.name},
              {"limit", use.limit},      {"begin_ns", use.begin},
              {"end_ns", use.end},       {"depth", std::move(depth)},
              {"get", waits(use.get)},   {"put", waits(use.put)},
              {"join", waits(use.join)}, {"depth_from_ns", std::move(points)}};
}

}  // namespace

std::string json(const Analysis& analysis) {
  const analysis::Recording& recording = *analysis.recording;
  Json processes = Json::array(), threads = Json::array(), locks = Json::array(),
       inversions = Json::array();
  for (const auto& [serial, process] : recording.processes) {
    processes.push_back(
        {{"serial", serial}, {"pid", process.pid}, {"parent_pid", process.parent_pid}});
  }
  for (const Life& life : analysis.lives) threads.push_back(thread_json(life, analysis.knows_next));
  for (const LockSite& site : analysis.contention) locks.push_back(lock_json(site));
  Json others = Json::array();
  for (const LockSite& site : analysis.others) others.push_back(other_json(site));
  for (const Inversion& inversion : analysis.inversions) {
    Json steps = Json::array();
    for (const Inversion::Step& step : inversion.steps) {
      steps.push_back({{"thread", step.thread},
                       {"first", step.first},
                       {"first_at", step.first_at},
                       {"second", step.second},
                       {"second_at", step.second_at}});
    }
    inversions.push_back(std::move(steps));
  }
  Json queues = Json::array();
  for (const analysis::QueueUse& use : analysis.queues) queues.push_back(queue_json(use));
  Json level = Json::array();
  for (const std::string& line : report::level(analysis)) level.push_back(line);
  const Json json{{"command", recording.meta.value("command", Json::array())},
                  {"ending", ending(recording)},
                  {"duration_ns", analysis.end},
                  {"level", std::move(level)},
                  {"whole", recording.cut_off.empty()},
                  {"blocked_ns", analysis.blocked_ns},
                  {"named_ns", analysis.named_ns},
                  {"switch_records",
                   {{"voluntary", analysis.voluntary}, {"involuntary", analysis.involuntary}}},
                  {"processes", std::move(processes)},
                  {"threads", std::move(threads)},
                  {"locks", std::move(locks)},
                  {"waits_for_others", std::move(others)},
                  {"queues", std::move(queues)},
                  {"deadlocks", recording.alarms},
                  {"lock_order_inversions", std::move(inversions)},
                  {"meta", recording.meta},
                  {"end", recording.end}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace thrum::report
