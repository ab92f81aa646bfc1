// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/findings.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "cli/exit_code.h"
#include "cli/print_error.h"
#include "cli/saved_test.h"
#include "report/reports.h"

namespace thrum::cli {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_-+=./,:@%") == std::string::npos) {
    return word;
  }
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// page.html, page-2.html, ...
std::string numbered(const std::string& path, unsigned number) {
  if (number < 2) return path;
  const fs::path whole = path;
  return whole.parent_path() /
         fmt::format("{}-{}{}", whole.stem().string(), number, whole.extension().string());
}

bool has_writable_folder(const std::string& path) {
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const bool fits = fs::path(path).has_filename() && access(folder.c_str(), W_OK | X_OK) == 0;
  if (!fits) {
    const int why = fs::path(path).has_filename() ? errno : EISDIR;
    print_error(path, std::generic_category().message(why));
  }
  return fits;
}

bool is_folder(const std::string& path) {
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) return false;
  print_error(path, std::generic_category().message(EISDIR));
  return true;
}

}  // namespace

void add_forms(CLI::App& command, Forms& forms, SaveTest save_test) {
  command.add_option("--html", forms.html, "Write the report as a page for a browser too")
      ->option_text("FILE");
  if (save_test == SaveTest::yes) {
    command.add_option("--save-test", forms.test, "Write a script that replays what was found")
        ->option_text("FILE");
  }
  command.add_flag("--json", forms.json, "Print for programs: JSON, a line a campaign");
  command.add_flag("--no-color", forms.no_colour, "No colour; so does NO_COLOR=1");
}

bool can_be_made(const Forms& forms) {
  if (!forms.html.empty() && (is_folder(forms.html) || !has_writable_folder(forms.html))) {
    return false;
  }
  if (forms.test.empty()) return true;
  std::error_code unknown;
  if (fs::exists(fs::symlink_status(forms.test, unknown))) {
    print_error(forms.test, "there is such a file, and it is not written over");
    return false;
  }
  return has_writable_folder(forms.test);
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + quoted(word);
  return line;
}

std::string replay_line(const explore::Replay& replay, const std::vector<std::string>& command) {
  return fmt::format("thrum replay '{}' -- {}", explore::to_string(replay), command_line(command));
}

void print_story(const text::Terminal& terminal, const explore::Story& story) {
  // A file is as wide as it needs to be.
  constexpr std::size_t kColumn = 56;
  const std::size_t width =
      terminal.redraws ? std::max<std::size_t>(terminal.width, 60) - 2
                       : std::max<std::size_t>(terminal.width, kColumn * story.threads.size());
  const auto print = [&](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) fmt::print("  {}\n", terminal.render(line));
    fmt::print("\n");
  };
  print(explore::headline(story));
  print(explore::schedule_table(story, width));
}

int write_files(const Forms& forms, const explore::Story& story,
                const explore::Circumstances& circumstances,
                const std::vector<std::string>& command, unsigned number) {
  try {
    const auto write = [&](const std::string& path, const std::string& what) {
      report::write_file(path, what);
      if (!forms.json) fmt::print("  {}\n", text::printable(path));
    };
    if (!forms.html.empty()) {
      write(numbered(forms.html, number), explore::page(story, circumstances));
    }
    if (!forms.test.empty() && !circumstances.replay.empty()) {
      const std::string path = numbered(forms.test, number);
      write(path, saved_test(story, circumstances, command));
      chmod(path.c_str(), 0755);
    }
    return kClean;
  } catch (const report::CannotWrite& error) {
    print_error(error.path(), error.what());
    return kFailed;
  }
}

int guarded(const std::vector<std::string>& command, const std::function<int()>& body) {
  try {
    return body();
  } catch (const explore::CannotCheck& error) {
    print_error(command.front(), error.what());
    return kUsage;
  } catch (const std::system_error& error) {
    print_error(command.front(), error.what());
    return kFailed;
  }
}

}  // namespace thrum::cli
