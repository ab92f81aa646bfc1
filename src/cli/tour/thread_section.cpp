// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <stdexcept>
#include <string>

#include "cli/tour/section.h"

namespace thrum::cli {

void thread_section(Tour& tour) {
  Report& report = tour.report;

  int sum = 0;
  std::uint32_t ran_as = 0;
  const auto add = [&](int a, int b) {
    sum = a + b;
    ran_as = threading::get_native_id();
  };
  THRUM_RUN(report, Thread adder({.name = "adder"}, add, 2, 3));
  report.happened(
      {.text = "it is {adder_before}: it has a name and arguments, but did not run",
       .facts = {{"adder_before", adder.state().text()}, {"alive_before", adder.is_alive()}},
       .holds = adder.state().life == Life::new_ && !adder.is_alive() && sum == 0});

  THRUM_RUN(report, adder.start(); adder.join());
  report.happened({.text = "2 + 3 = {sum}, added by thread {adder_id}; this one is {main_id}",
                   .facts = {{"sum", sum},
                             {"adder_id", ran_as},
                             {"main_id", threading::get_native_id()},
                             {"adder_after", adder.state().text()}},
                   .holds = sum == 5 && ran_as != threading::get_native_id() &&
                            adder.state().end == End::returned});

  THRUM_RUN(report, Thread another([] {}));
  report.happened({.text = "who gets no name is called {default_name}",
                   .facts = {{"default_name", another.name()}},
                   .holds = another.name().starts_with("Thread-")});

  Event quit;
  THRUM_RUN(report, Thread helper({.name = "helper", .daemon = true}, [&] { quit.wait(); }));
  helper.start();
  report.happened({.text = "daemon? {helper_daemon}: the process would end without waiting for it. "
                           "adder: {adder_daemon}",
                   .facts = {{"helper_daemon", helper.daemon()}, {"adder_daemon", adder.daemon()}},
                   .holds = helper.daemon() && !adder.daemon()});
  quit.set();
  helper.join();

  Semaphore done(0);
  bool told_to_stop = false;
  THRUM_RUN(report, Group group);
  const auto work = [&](const std::stop_token& stop) { told_to_stop = !done.acquire(stop); };
  const auto fail = [] { throw std::runtime_error("disk on fire"); };
  THRUM_RUN(report, Thread one({.group = &group, .name = "one"}, work));
  THRUM_RUN(report, Thread two({.group = &group, .name = "two"}, fail));
  one.start();
  two.start();
  std::string rethrown;
  report.code("group.join()");
  try {
    group.join();
  } catch (...) {
    rethrown = words_of(std::current_exception());
  }
  report.happened({.text = "two failed, so one was asked to stop ({told_to_stop}); join() throws "
                           "what two threw: {rethrown}",
                   .facts = {{"told_to_stop", told_to_stop}, {"rethrown", rethrown}},
                   .holds = told_to_stop && rethrown == "disk on fire"});

  std::string reported_for;
  const ExceptHook before = threading::set_excepthook(
      [&](const ExceptHookArgs& args) { reported_for = args.thread.name(); });
  const auto trip = [] { throw std::runtime_error("tripped"); };
  THRUM_RUN(report, Thread clumsy({.name = "clumsy"}, trip));
  THRUM_RUN(report, clumsy.start(); clumsy.join());
  threading::set_excepthook(before);
  report.happened({.text = "{clumsy_after}. The process goes on; exception() keeps what it threw: "
                           "{kept}; excepthook() was told, once, of {reported_for}",
                   .facts = {{"clumsy_after", clumsy.state().text()},
                             {"kept", words_of(clumsy.exception())},
                             {"reported_for", reported_for}},
                   .holds = clumsy.state().end == End::threw &&
                            words_of(clumsy.exception()) == "tripped" && reported_for == "clumsy"});
}

}  // namespace thrum::cli
