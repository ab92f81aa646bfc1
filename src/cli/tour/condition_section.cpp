// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>

#include "cli/tour/section.h"

namespace thrum::cli {
namespace {

using namespace std::chrono_literals;

constexpr int kItems = 1000;
constexpr std::size_t kShelf = 3;

void show_shop(Tour& tour) {
  Report& report = tour.report;
  Lock lock;
  Condition filled(lock);
  Condition emptied(lock);
  std::deque<int> shelf;
  std::size_t most = 0;

  // Two conditions share the lock, which the analysis of clang cannot know.
  const auto produce = [&](const std::stop_token& stop) THRUM_TSA(no_thread_safety_analysis) {
    for (int item = 1; item <= kItems + 2 && !stop.stop_requested(); ++item) {
      Guard guard(lock);
      emptied.wait_for([&] { return shelf.size() < kShelf; });
      shelf.push_back(item <= kItems ? item : 0);  // 0: closing time, one for each consumer
      most = std::max(most, shelf.size());
      filled.notify();
    }
  };
  struct Bag {
    int items = 0;
    std::int64_t sum = 0;
  };
  const auto consume = [&](Bag& bag) THRUM_TSA(no_thread_safety_analysis) {
    for (;;) {
      Guard guard(lock);
      filled.wait_for([&] { return !shelf.empty(); });
      const int item = shelf.front();
      shelf.pop_front();
      emptied.notify();
      if (item == 0) return;
      ++bag.items;
      bag.sum += item;
    }
  };
  report.code("Lock lock; Condition filled(lock), emptied(lock)");
  report.code("producer: { Guard guard(lock);");
  report.code("  emptied.wait_for([&] { return shelf.size() < 3; });");
  report.code("  shelf.push_back(item); filled.notify(); }");
  report.code("consumer: { Guard guard(lock);");
  report.code("  filled.wait_for([&] { return !shelf.empty(); });");
  report.code("  take(shelf.front()); emptied.notify(); }");
  Bag one;
  Bag two;
  Thread producer({.name = "producer"}, produce);
  Thread first({.name = "consumer-1"}, consume, std::ref(one));
  Thread second({.name = "consumer-2"}, consume, std::ref(two));
  producer.start();
  first.start();
  second.start();
  producer.join();
  first.join();
  second.join();
  const std::int64_t sum = one.sum + two.sum;
  report.happened({.text =
                       "{produced} items, {consumed_one} + {consumed_two} taken, each once (sum "
                       "{item_sum}); never more than {most_on_shelf} on the shelf",
                   .facts = {{"produced", kItems},
                             {"consumed_one", one.items},
                             {"consumed_two", two.items},
                             {"item_sum", sum},
                             {"most_on_shelf", most}},
                   .holds = one.items + two.items == kItems && most <= kShelf &&
                            sum == std::int64_t{kItems} * (kItems + 1) / 2});
}

void show_notify(Tour& tour) {
  Report& report = tour.report;
  THRUM_RUN(report, Condition bell);
  std::atomic<int> woken{0};  // relaxed: looked at until it is there
  std::deque<Thread> guests;
  int waiting = 0;
  for (int i = 1; i <= 3; ++i) {
    guests.emplace_back(ThreadOptions{.name = "guest-" + std::to_string(i)}, [&] {
      Guard guard(bell);
      bell.wait();
      woken.fetch_add(1, std::memory_order_relaxed);
    });
    guests.back().start();
    const ThreadState state = look_until_blocked(tour.stop, guests.back(), Waitable::condition);
    waiting += is_blocked(state, Waitable::condition) ? 1 : 0;
  }
  report.code("three guests: { Guard guard(bell); bell.wait(); }");
  report.happened({.text = "{guests_waiting} of them are seen blocked on the condition",
                   .facts = {{"guests_waiting", waiting}},
                   .holds = waiting == 3});

  const auto left = [&] {
    Guard guard(bell);
    return bell.waiting();
  };
  report.code("{ Guard guard(bell); bell.notify(); }");
  {
    Guard guard(bell);
    bell.notify();
  }
  guests[0].join();  // first come, first served
  const int by_one = woken.load(std::memory_order_relaxed);
  const std::size_t still = left();
  report.happened(
      {.text = "{woken_by_notify} went on, the one that had waited longest; {still_waiting} "
               "still wait",
       .facts = {{"woken_by_notify", by_one}, {"still_waiting", still}},
       .holds = by_one == 1 && still == 2});

  report.code("{ Guard guard(bell); bell.notify_all(); }");
  {
    Guard guard(bell);
    bell.notify_all();
  }
  for (Thread& guest : guests) guest.join();
  const int in_all = woken.load(std::memory_order_relaxed);
  report.happened(
      {.text = "all others: {woken} of 3", .facts = {{"woken", in_all}}, .holds = in_all == 3});

  report.code("{ Guard guard(bell); rang = bell.wait(10ms); }");
  bool rang = true;
  const std::int64_t begin_ns = Deadline::now_ns();
  {
    Guard guard(bell);
    rang = bell.wait(10ms);
  }
  const std::int64_t waited_ns = Deadline::now_ns() - begin_ns;
  report.happened({.text = "nobody rings: {rang}, after {bell_waited_ns}",
                   .facts = {{"rang", rang}, {"bell_waited_ns", waited_ns}},
                   .holds = !rang && waited_ns >= 10'000'000});
}

}  // namespace

void condition_section(Tour& tour) {
  show_shop(tour);
  show_notify(tour);
}

}  // namespace thrum::cli
