// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A story as data: for programs, and for the script of src/explore/page.
#include "text/page.h"

#include <map>

#include "analysis/recording.h"
#include "explore/report.h"

namespace thrum::explore {

extern const text::PageSource kPageSource;

namespace {

using analysis::Json;

Json frames(const std::vector<Place>& stack) {
  Json list = Json::array();
  for (const Place& place : stack) list.push_back({place.function, place.text()});
  return list;
}

class Model {
 public:
  Model(const Story& story, const Circumstances& circumstances)
      : story_(story), circumstances_(circumstances) {}

  Json json() {
    Json steps = Json::array();
    for (const Step& each : story_.steps) steps.push_back(step(each));
    return {{"verdict", story_.verdict},
            {"summary", story_.summary},
            {"end", check::is_finding(story_.outcome)         ? "finding"
                    : story_.outcome == check::Outcome::clean ? "clean"
                                                              : "unknown"},
            {"thread", story_.thread},
            {"stack", frames(story_.stack)},
            {"waiting", waiting()},
            {"accesses", accesses()},
            {"missing", story_.missing},
            {"errors", story_.errors},
            {"command", circumstances_.command},
            {"found", circumstances_.found},
            {"replay", circumstances_.replay},
            {"preemptions", circumstances_.preemptions},
            {"threads", story_.threads},
            {"file", story_.file},
            {"stacks", std::move(stacks_)},
            {"steps", std::move(steps)}};
  }

 private:
  Json step(const Step& step) {
    Json json{{"thread", step.thread}, {"preempts", step.preempts}, {"verb", step.verb}};
    if (step.has_place) json["place"] = step.place.text();
    if (!step.object.empty()) json["object"] = step.object;
    if (!step.rest.empty()) json["rest"] = step.rest;
    if (!step.stack.empty()) json["stack"] = number(frames(step.stack));
    if (!step.notes.empty()) json["notes"] = step.notes;
    return json;
  }

  // Many steps have the same stack.
  std::size_t number(Json stack) {
    const auto [known, is_new] = numbers_.try_emplace(stack.dump(), stacks_.size());
    if (is_new) stacks_.push_back(std::move(stack));
    return known->second;
  }

  Json waiting() const {
    Json list = Json::array();
    for (const Waiting& each : story_.waiting) {
      list.push_back({{"thread", each.thread},
                      {"verb", each.verb},
                      {"object", each.object},
                      {"holder", each.holder ? Json(*each.holder) : Json()},
                      {"rest", each.rest},
                      {"place", each.place.text()},
                      {"stack", frames(each.stack)}});
    }
    return list;
  }

  Json accesses() const {
    Json list = Json::array();
    for (const Access& each : story_.accesses) {
      list.push_back({{"thread", each.thread},
                      {"what", each.what},
                      {"place", each.place.text()},
                      {"function", each.place.function},
                      {"stack", frames(each.stack)}});
    }
    return list;
  }

  const Story& story_;
  const Circumstances& circumstances_;
  Json stacks_ = Json::array();
  std::map<std::string, std::size_t> numbers_;
};

}  // namespace

std::string json(const Story& story, const Circumstances& circumstances) {
  return Model(story, circumstances).json().dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string page(const Story& story, const Circumstances& circumstances) {
  return text::page(kPageSource, json(story, circumstances));
}

}  // namespace thrum::explore
