// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "cli/tour/report.h"
#include "thrum/config.h"

namespace thrum::cli {
namespace {

Json object_of(const Facts& facts) {
  Json object = Json::object();
  for (const auto& [name, value] : facts) object[name] = value;
  return object;
}

class JsonReport final : public Report {
 public:
  void open(const Facts& machine) override {
    document_ = {{"thrum", THRUM_VERSION}, {"machine", object_of(machine)}};
    document_["sections"] = Json::object();
  }

  void begin(const Heading& heading) override {
    section_ = &document_["sections"][std::string(heading.name)];
    *section_ = {{"number", heading.number},
                 {"title", heading.title},
                 {"ok", true},
                 {"facts", Json::object()},
                 {"steps", Json::array()}};
  }

  void end() override {}

  void close(std::string_view interrupted) override {
    document_["interrupted"] = interrupted.empty() ? Json() : Json(interrupted);
    document_["ok"] = interrupted.empty() && !found_something();
    fmt::print("{}\n", document_.dump(2, ' ', false, Json::error_handler_t::replace));
    std::fflush(stdout);
  }

  void status(std::string_view) override {}
  bool is_live() const override { return false; }
  std::size_t columns() const override { return 0; }

 protected:
  void step(const std::vector<std::string>& code, const Happened& happened,
            Verdict verdict) override {
    Json& section = *section_;
    if (verdict == Verdict::odd) section["ok"] = false;
    section["facts"].update(object_of(happened.facts));
    section["steps"].push_back(
        {{"code", code},
         {"text", expand(happened.text, happened.facts, [](std::string value) { return value; })},
         {"verdict", verdict == Verdict::ok    ? Json("ok")
                     : verdict == Verdict::odd ? Json("odd")
                                               : Json("unseen")}});
    if (!happened.unseen.empty()) section["steps"].back()["unseen"] = happened.unseen;
  }

 private:
  Json document_ = Json::object();
  Json* section_ = nullptr;
};

}  // namespace

std::unique_ptr<Report> make_json_report() { return std::make_unique<JsonReport>(); }

}  // namespace thrum::cli
