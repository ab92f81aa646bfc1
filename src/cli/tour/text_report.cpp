// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/tour/report.h"

namespace thrum::cli {
namespace {

// Values stand out, and are not broken over two lines unless they are long.
std::string shown(std::string value) {
  if (columns_of(value) > 30) return value;
  std::ranges::replace(value, ' ', kHardSpace);
  return ink(kBold, value);
}

std::string sign_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return ink(kGreen, "✓");
    case Verdict::odd:
      return ink(kRed, "✗");
    case Verdict::unseen:
      break;
  }
  return ink(kYellow, "–");
}

class TextReport final : public Report {
 public:
  explicit TextReport(Terminal terminal) : terminal_(terminal) {}
  ~TextReport() override { TextReport::status(""); }

  void open(const Facts& machine) override {
    print(expand("{machine_cpu}, {cpus} usable CPUs, {system}", machine,
                 [](std::string value) { return value; }),
          kDim);
  }

  void begin(const Heading& heading) override {
    space();
    std::string title = fmt::format("{} {} ", heading.number, heading.title);
    const std::size_t width = columns_of(title);
    std::string rule;
    for (std::size_t i = width; i < columns(); ++i) rule += "─";
    print(ink(kBold, title) + ink(kDim, rule));
    for (const std::string& line : wrap(heading.about, columns() - 2)) print("  " + line, kDim);
    print("");
  }

  void end() override { std::fflush(stdout); }

  void close(std::string_view interrupted) override {
    if (!interrupted.empty()) return;
    space();
    print(odd_ == 0
              ? fmt::format("{} Everything happened as the founding README says{}.",
                            sign_of(Verdict::ok),
                            unseen_ == 0 ? "" : fmt::format("; {} could not be seen here", unseen_))
              : fmt::format("{} {} of {} steps did not happen as the founding README says.",
                            sign_of(Verdict::odd), odd_, steps_));
    std::fflush(stdout);
  }

  void status(std::string_view line) override {
    if (!is_live() || (line.empty() && !status_shown_)) return;
    std::fputs(terminal_.render(fmt::format("\r{}", line)).c_str(), stdout);
    std::fputs("\x1b[K", stdout);
    std::fflush(stdout);
    status_shown_ = !line.empty();
  }
  bool is_live() const override { return terminal_.redraws; }
  std::size_t columns() const override { return terminal_.width; }

 protected:
  // The code, then what happened, further in.
  void step(const std::vector<std::string>& code, const Happened& happened,
            Verdict verdict) override {
    ++steps_;
    odd_ += verdict == Verdict::odd ? 1 : 0;
    unseen_ += verdict == Verdict::unseen ? 1 : 0;

    for (const std::string& line : code) {
      std::string indent(line.find_first_not_of(' '), ' ');
      for (const std::string& part : wrap(line.substr(indent.size()), columns() - 8)) {
        print("  " + indent + ink(kCyan, part));
        indent = "    ";
      }
    }
    std::string sign = sign_of(verdict);
    const auto say = [&](const std::string& text, char mark) {
      for (const std::string& line : wrap(text, columns() - 6)) {
        print("    " + sign + " " + (mark == 0 ? line : ink(mark, line)));
        sign = " ";
      }
    };
    say(expand(happened.text, happened.facts, shown), 0);
    if (verdict == Verdict::odd) say("This is not what the founding README says.", kRed);
    if (verdict == Verdict::unseen) say(happened.unseen, kYellow);
    if (happened.drawing) {
      space();
      for (const std::string& line : happened.drawing(columns() - 6)) print("      " + line);
      print("");
    }
    std::fflush(stdout);
  }

 private:
  void print(std::string_view line, char mark = 0) {
    status("");
    std::string text = terminal_.render(mark == 0 ? std::string(line) : ink(mark, line));
    text.erase(text.find_last_not_of(' ') + 1);
    fmt::print("{}\n", text);
    spaced_ = text.empty();
  }
  // Prints an empty line, unless there is one.
  void space() {
    if (!spaced_) print("");
  }

  const Terminal terminal_;
  bool status_shown_ = false;
  bool spaced_ = false;
  int steps_ = 0;
  int odd_ = 0;
  int unseen_ = 0;
};

}  // namespace

std::unique_ptr<Report> make_text_report(Terminal terminal) {
  return std::make_unique<TextReport>(terminal);
}

}  // namespace thrum::cli
