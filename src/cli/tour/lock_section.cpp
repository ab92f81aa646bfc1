// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>

#include "cli/tour/section.h"

namespace thrum::cli {
namespace {

using namespace std::chrono_literals;

constexpr int kTurns = 100'000;

// Runs it in two threads, at the same time if there are processors for that.
template <class Function>
void twice(Function function) {
  Barrier line(2);
  Group both;
  for (int i = 0; i < 2; ++i) {
    both.start([&] {
      (void)line.wait();
      function();
    });
  }
  both.join();
}

void show_counting(Report& report) {
  // Relaxed: the point is that a load and a store are two steps, whatever their order.
  std::atomic<int> n{0};
  const auto add_one = [&] {
    n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  };
  int without = 2 * kTurns;
  for (const Deadline patience = 300ms; without == 2 * kTurns && !patience.expired();) {
    n.store(0, std::memory_order_relaxed);
    twice([&] {
      for (int i = 0; i < kTurns; ++i) add_one();
    });
    without = n.exchange(0, std::memory_order_relaxed);
  }
  report.code("two threads, 100,000 times: n = n + 1");
  report.happened(
      {.text =
           without == 2 * kTurns
               ? "without a lock n is {without_lock} all the same"
               : "without a lock n is {without_lock}, not {expected}: {lost} were lost on the way",
       .facts = {{"without_lock", without},
                 {"expected", 2 * kTurns},
                 {"lost", 2 * kTurns - without}},
       .unseen = without == 2 * kTurns ? "the threads never met this time" : ""});

  Lock lock;
  twice([&] {
    for (int i = 0; i < kTurns; ++i) {
      Guard guard(lock);
      add_one();
    }
  });
  const int with = n.load(std::memory_order_relaxed);
  report.code("{ Guard guard(lock); n = n + 1; }");
  report.happened(
      {.text = "with the lock n is {with_lock}. A Guard is what `with lock:` is in Python",
       .facts = {{"with_lock", with}},
       .holds = with == 2 * kTurns});
}

void show_exceptions(Report& report) {
  Lock lock;
  bool inside = false;
  report.code("lock.acquire()");
  report.code("try { work(); } catch (...) { lock.release(); throw; }");
  lock.acquire();
  try {
    try {
      inside = lock.locked();
      throw std::runtime_error("work failed");
    } catch (...) {
      lock.release();
      throw;
    }
  } catch (const std::runtime_error&) {
  }
  const bool after_try = lock.locked();
  report.happened(
      {.text = "work() threw. Locked before? {locked_inside}. And after? {locked_after_try}",
       .facts = {{"locked_inside", inside}, {"locked_after_try", after_try}},
       .holds = inside && !after_try});

  report.code("{ Guard guard(lock); work(); }");
  try {
    Guard guard(lock);
    throw std::runtime_error("work failed");
  } catch (const std::runtime_error&) {
  }
  const bool after_guard = lock.locked();
  report.happened({.text = "the same in one line. Locked after? {locked_after_guard}",
                   .facts = {{"locked_after_guard", after_guard}},
                   .holds = !after_guard});
}

// What it does wrong on purpose, clang would say at compile time.
THRUM_TSA(no_thread_safety_analysis)
void show_giving_up(Tour& tour) {
  Report& report = tour.report;
  THRUM_RUN(report, Lock lock);
  Event quit;
  Thread owner({.name = "owner"}, [&] {
    Guard guard(lock);
    quit.wait();
  });
  report.code("Thread owner([&] { Guard guard(lock); quit.wait(); })");
  owner.start();
  const bool held = look_until(tour.stop, [&] { return lock.locked(); });
  report.happened({.text = "locked? {locked}, by thread {holder_id}, that is {holder}",
                   .facts = {{"locked", lock.locked()},
                             {"holder_id", lock.holder()},
                             {"holder", name_of(lock.holder())}},
                   .holds = held && lock.holder() == owner.native_id()});

  const std::int64_t start_ns = Deadline::now_ns();
  THRUM_RUN(report, const bool at_once = lock.acquire(nonblocking));
  const std::int64_t tried_ns = Deadline::now_ns();
  report.happened({.text = "{at_once}, after {at_once_ns}",
                   .facts = {{"at_once", at_once}, {"at_once_ns", tried_ns - start_ns}},
                   .holds = !at_once});

  const std::int64_t again_ns = Deadline::now_ns();
  THRUM_RUN(report, const bool in_time = lock.acquire(20ms));
  const std::int64_t waited_ns = Deadline::now_ns() - again_ns;
  report.happened({.text = "{in_time}, after {in_time_ns}",
                   .facts = {{"in_time", in_time}, {"in_time_ns", waited_ns}},
                   .holds = !in_time && waited_ns >= 20'000'000});

  bool got = true;
  Thread patient({.name = "patient"},
                 [&](const std::stop_token& stop) { got = lock.acquire(stop); });
  report.code("Thread patient([&](std::stop_token stop) { got = lock.acquire(stop); })");
  patient.start();
  const ThreadState seen = look_until_blocked(tour.stop, patient, Waitable::lock);
  THRUM_RUN(report, patient.request_stop());
  patient.join();
  report.happened(
      {.text =
           "blocked on the lock for {patient_waits_ns}; asked to stop, it gives up: {patient_got}",
       .facts = {{"patient_state", seen.text()},
                 {"patient_waits_ns", blocked_for_ns(seen)},
                 {"patient_got", got}},
       .holds = !got && is_blocked(seen, Waitable::lock)});
  quit.set();
  owner.join();

  report.code("lock.release()  // nobody holds it");
  std::string refused;
  try {
    lock.release();
  } catch (...) {
    refused = words_of(std::current_exception());
  }
  report.happened({.text = "{release_of_free}",
                   .facts = {{"release_of_free", refused}},
                   .holds = refused.starts_with("UsageError")});
}

// Clang knows no lock that may be taken twice.
THRUM_TSA(no_thread_safety_analysis)
void show_relatives(Report& report) {
  THRUM_RUN(report, RLock again);
  THRUM_RUN(report, Guard outer(again); Guard inner(again));
  report.happened({.text = "an RLock may be taken again by its holder: {depth} levels deep",
                   .facts = {{"depth", again.recursion_count()}},
                   .holds = again.recursion_count() == 2});

  Lock a;
  Lock b;
  int meals = 0;
  report.code("std::scoped_lock both(a, b)  // in two threads: (a, b) and (b, a)");
  Group table;
  table.start([&] {
    for (int i = 0; i < 1000; ++i) {
      std::scoped_lock both(a, b);
      ++meals;
    }
  });
  table.start([&] {
    for (int i = 0; i < 1000; ++i) {
      std::scoped_lock both(b, a);
      ++meals;
    }
  });
  table.join();
  report.happened({.text =
                       "the standard library's helpers take ours: {meals} times both, in either "
                       "order, no deadlock",
                   .facts = {{"meals", meals}},
                   .holds = meals == 2000});
}

}  // namespace

void lock_section(Tour& tour) {
  show_counting(tour.report);
  show_exceptions(tour.report);
  show_giving_up(tour);
  show_relatives(tour.report);
}

}  // namespace thrum::cli
