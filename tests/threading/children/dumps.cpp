// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <signal.h>

#include <system_error>

#include "threading/children/scene.h"
#include "thrum/threading.h"

namespace scene {
namespace {

using namespace thrum;

const Scene dump_on_signal_scene("dump_on_signal", [] {
  threading::dump_on_signal(SIGQUIT);
  threading::dump_on_signal(SIGQUIT);  // again is no harm
  Event never;
  Thread worker({.name = "worker"}, [&](std::stop_token stop) { (void)never.wait(stop); });
  worker.start();
  until_asleep(worker.native_id());
  say("ready");
  until_input_ends();
  say("went on");
  return 7;
});

const Scene dump_on_sigkill_scene("dump_on_sigkill", [] {
  try {
    threading::dump_on_signal(SIGKILL);
  } catch (const std::system_error& error) {
    const std::string what = error.what();
    say(what);
    return what.starts_with("thrum::threading::dump_on_signal: ") ? 0 : 1;
  }
  return 1;
});

const Scene sleeps_scene("sleeps", [] {
  Event never;
  Thread worker({.name = "worker"}, [&](std::stop_token stop) { (void)never.wait(stop); });
  worker.start();
  until_asleep(worker.native_id());
  say("ready");
  until_input_ends();
  return 0;
});

// Nothing ends this deadlock but the end of the process.
const Scene join_each_other("join_each_other", [] {
  static Event go;
  static ThreadHandle first, second;
  static Thread a({.name = "a", .daemon = true}, [] {
    go.wait();
    second.join();
  });
  static Thread b({.name = "b", .daemon = true}, [] {
    go.wait();
    first.join();
  });
  first = a;
  second = b;
  a.start();
  b.start();
  go.set();
  for (const Thread* thread : {&a, &b}) {
    while (thread->state().life != Life::blocked ||
           thread->state().blocked_on.kind != Waitable::thread) {
      let_others_run();
    }
  }
  say(dump_text());
  return 0;
});

}  // namespace
}  // namespace scene
