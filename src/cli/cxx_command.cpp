// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Becomes a compiler that makes programs for `thrum check`: instrumented as for the thread
// sanitizer, but linked with our runtime. The sanitizer's own must not come along, so
// -fsanitize=thread is given to the compiler and not to the linker; a command that does both is
// made of two.
#include "cli/cxx_command.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "cli/exit_code.h"
#include "cli/print_error.h"
#include "explore/program.h"

namespace thrum::cli {
namespace {

using Arguments = std::vector<std::string>;

bool is_source(const std::string& argument) {
  if (argument.starts_with('-')) return false;
  const std::string extension = std::filesystem::path(argument).extension();
  constexpr const char* kSources[] = {".c", ".cc", ".cp", ".cpp", ".cxx", ".c++", ".C", ".CPP"};
  return std::ranges::find(kSources, extension) != std::end(kSources);
}

bool only_compiles(const Arguments& arguments) {
  return std::ranges::any_of(arguments, [](const std::string& argument) {
    return argument == "-c" || argument == "-S" || argument == "-E" || argument == "-M" ||
           argument == "-MM" || argument == "-fsyntax-only" || argument == "--version" ||
           argument == "-v" || argument.starts_with("-print-") || argument.starts_with("-dump");
  });
}

// Does the next argument belong to this one?
bool takes_a_value(const std::string& argument) {
  constexpr const char* kTaking[] = {
      "-o",         "-I",       "-D", "-U",      "-L",      "-l",
      "-include",   "-isystem", "-x", "-MF",     "-MT",     "-MQ",
      "-Xlinker",   "-Xclang",  "-T", "-u",      "-iquote", "-idirafter",
      "-framework", "-imacros", "-z", "-target", "--param", "-Xpreprocessor",
      "-Xassembler"};
  return std::ranges::find(kTaking, argument) != std::end(kTaking);
}

bool is_for_the_linker(const std::string& argument) {
  return argument.starts_with("-l") || argument.starts_with("-L") || argument.starts_with("-Wl,") ||
         argument == "-Xlinker" || argument == "-rdynamic" || argument == "-shared" ||
         argument == "-pie" || argument == "-no-pie" || argument == "-static";
}

int run(const Arguments& command) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<char*> argv;
    for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    print_error(command[0], std::generic_category().message(errno));
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0) return kFailed;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The words of $CC. Not when they are ourselves, as in CC='thrum cc' ./configure.
Arguments compiler_of(const char* variable, const char* usual) {
  const char* const chosen = std::getenv(variable);
  std::istringstream text(chosen != nullptr ? chosen : "");
  Arguments words{std::istream_iterator<std::string>(text), {}};
  if (words.empty() || std::filesystem::path(words[0]).filename() == "thrum") return {usual};
  return words;
}

Arguments compile_flags(const Arguments& compiler) {
  Arguments flags{"-fsanitize=thread", "-g"};
  // gcc warns of fences, which its own runtime does not know; ours does.
  const bool is_clang = std::ranges::any_of(
      compiler, [](const std::string& word) { return word.find("clang") != std::string::npos; });
  if (!is_clang) flags.emplace_back("-Wno-tsan");
  // Nobody asks where functions begin and end: stacks are unwound. But what a function calls last
  // stays a call, or the place of an atomic there would be the caller's.
  flags.emplace_back("-fno-optimize-sibling-calls");
  if (is_clang) {
    flags.insert(flags.end(), {"-mllvm", "-tsan-instrument-func-entry-exit=false"});
  } else {
    flags.emplace_back("--param=tsan-instrument-func-entry-exit=0");
  }
  return flags;
}

Arguments link_flags() {
  const std::string folder = explore::runtime_folder();
  return {"-L" + folder,     "-Wl,--no-as-needed",   "-lthrum_check",
          "-Wl,--as-needed", "-Wl,-rpath," + folder, "-pthread"};
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "thrum-c++-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), pattern);
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What cannot be: says so and returns true.
bool is_refused(const Arguments& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "-static") {
      print_error(argument, "the runtime of thrum check is a shared library; leave it out");
      return true;
    }
    if (argument.starts_with("-fsanitize=") && argument != "-fsanitize=thread" &&
        argument.find("undefined") == std::string::npos) {
      print_error(argument, "not together with thrum check; leave it out");
      return true;
    }
  }
  return false;
}

int compile(const Arguments& compiler, Arguments arguments) {
  if (is_refused(arguments)) return kUsage;
  // Added below where it belongs: with it, the linker would take the sanitizer's runtime.
  std::erase(arguments, "-fsanitize=thread");
  Arguments common = compiler;
  for (const std::string& flag : compile_flags(compiler)) common.push_back(flag);
  const bool has_input = std::ranges::any_of(
      arguments, [](const std::string& argument) { return !argument.starts_with('-'); });
  if (only_compiles(arguments) || !has_input) {
    common.insert(common.end(), arguments.begin(), arguments.end());
    return run(common);
  }
  // Each source to an object first, with all options but those of the linker; then the link, with
  // the objects in the places of the sources.
  const TemporaryFolder folder;
  Arguments options;
  Arguments link = compiler;
  Arguments sources;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool has_value = takes_a_value(argument) && i + 1 < arguments.size();
    if (is_source(argument)) {
      link.push_back(folder.path() / fmt::format("{}.o", sources.size()));
      sources.push_back(argument);
    } else {
      link.push_back(argument);
      const bool compiles =
          argument.starts_with('-') && argument != "-o" && !is_for_the_linker(argument);
      if (compiles) options.push_back(argument);
      if (has_value) {
        ++i;
        link.push_back(arguments[i]);
        if (compiles) options.push_back(arguments[i]);
      }
    }
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    Arguments command = common;
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {"-c", sources[i], "-o", folder.path() / fmt::format("{}.o", i)});
    if (const int code = run(command); code != 0) return code;
  }
  for (const std::string& flag : link_flags()) link.push_back(flag);
  return run(link);
}

void add(CLI::App& app, int& exit_code, const char* name, const char* help, const char* variable,
         const char* usual) {
  CLI::App* const command = app.add_subcommand(name, help);
  command->set_help_flag();  // all that follows is for the compiler
  command->prefix_command();
  command->callback([command, &exit_code, variable, usual] {
    exit_code = compile(compiler_of(variable, usual), command->remaining());
  });
}

}  // namespace

void add_cxx_command(CLI::App& app, int& exit_code) {
  add(app, exit_code, "c++", "Compile for thrum check, with $CXX or g++", "CXX", "g++");
  add(app, exit_code, "cc", "Compile C for thrum check, with $CC or gcc", "CC", "gcc");
}

}  // namespace thrum::cli
