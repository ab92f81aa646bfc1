// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "stress/budget.h"
#include "support/blocked.h"
#include "support/items.h"
#include "support/sanitizer.h"
#include "thrum/threading.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::stress;

// Starting a thread costs far more than the rounds of other tests.
constexpr long few(long rounds) { return std::min(rounds / 8, 256L); }

TEST(ThreadStress, ManyStartNameAndJoinAndNoneIsLost) {
  std::atomic<long> ran{0};
  stress(
      [&](long rounds) {
        const long before = ran;
        const std::size_t active = active_count();
        std::deque<Actor> starters;
        for (int i = 0; i < 4; ++i) {
          starters.emplace_back([&, i] {
            for (long round = 0; round < few(rounds); ++round) {
              Thread thread({.name = "t" + std::to_string(round), .daemon = i % 2 == 0},
                            [&] { ++ran; });
              thread.start();
              if (round % 2 == 0) thread.set_name("renamed");
              if (round % 3 == 0) (void)thread.join(nonblocking);
              if (i % 2 == 0) thread.join();  // a daemon is not joined by its destructor
            }
          });
        }
        starters.clear();
        EXPECT_EQ(ran - before, 4 * few(rounds));
        EXPECT_EQ(active_count(), active);
      },
      [&] { return ran > 0; });
}

TEST(ThreadStress, DaemonsThatNobodyJoinsLeaveNothingBehind) {
  struct Tag;
  using Alive = test::Counted<Tag>;
  stress(
      [&](long rounds) {
        for (long i = 0; i < few(rounds); ++i) {
          Thread thread({.daemon = true}, [alive = Alive()] {});
          thread.start();
        }
        test::until([] { return Alive::count() == 0 && active_count() == 1; });
      },
      [] { return true; });
}

// Everything that may be asked about a thread, while it starts, blocks and ends.
TEST(ThreadStress, QuestionsMayMeetTheEndOfAThread) {
  std::atomic<long> seen_blocked{0}, seen_terminated{0}, asked{0};
  stress(
      [&](long rounds) {
        std::atomic<bool> stop{false};
        Lock lock;
        std::deque<Actor> others;
        for (int i = 0; i < 2; ++i) {
          others.emplace_back([&] {
            while (!stop) {
              Thread thread([&] {
                const Guard guard(lock);
                test::let_others_run();
              });
              thread.start();
              const ThreadHandle handle = thread;
              const Life life = handle.state().life;
              seen_blocked += life == Life::blocked;
              thread.join();
              seen_terminated += handle.state().life == Life::terminated;
            }
          });
        }
        for (long i = 0; i < few(rounds); ++i) {
          for (const ThreadHandle& thread : enumerate()) {
            (void)thread.state();
            (void)thread.stack();
            (void)thread.switches();
            (void)thread.exception();
            (void)thread.name();
            (void)thread.native_id();
            EXPECT_NE(thread.ident(), 0u);
            ++asked;
          }
          if (i % 8 == 0) {
            EXPECT_EQ(dump_text().find("deadlock"), std::string::npos);
          }
        }
        stop = true;
      },
      [&] { return seen_blocked > 0 && seen_terminated > 0 && asked > 0; });
}

TEST(ThreadStress, ManyJoinOneThatEnds) {
  std::atomic<long> gave_up{0}, joined{0};
  stress(
      [&](long rounds) {
        for (long i = 0; i < few(rounds); ++i) {
          Thread thread([] { test::let_others_run(); });
          thread.start();
          const ThreadHandle handle = thread;
          std::array<Thread, 3> joiners;
          for (Thread& joiner : joiners) {
            joiner = Thread([&, handle] {
              while (!handle.join(std::chrono::microseconds(20))) ++gave_up;
              EXPECT_FALSE(handle.is_alive());
              ++joined;
            });
            joiner.start();
          }
          if (i % 2 == 0) thread = Thread();  // joins, too
          for (Thread& joiner : joiners) joiner.join();
        }
      },
      [&] { return gave_up > 0 && joined > 0; });
}

TEST(ThreadStress, ThreadsNotMadeByUsComeAndGo) {
  std::atomic<long> listed{0};
  stress(
      [&](long rounds) {
        std::deque<Actor> churners;
        for (int i = 0; i < 3; ++i) {
          churners.emplace_back([&] {
            for (long round = 0; round < few(rounds); ++round) {
              std::thread([&] {
                const std::vector<ThreadHandle> all = enumerate();
                const ThreadHandle me = current_thread();
                EXPECT_EQ(std::count(all.begin(), all.end(), me), 0);
                const std::vector<ThreadHandle> now = enumerate();
                listed += std::count(now.begin(), now.end(), me);
              }).join();
            }
          });
        }
      },
      [&] { return listed > 0; });
}

TEST(LocalStress, ValuesMeetTheEndOfTheLocalAndOfTheThread) {
  struct Tag;
  using Alive = test::Counted<Tag>;
  long rounds_run = 0;
  stress(
      [&](long rounds) {
        for (long i = 0; i < few(rounds); ++i) {
          auto local = std::make_unique<Local<Alive>>();
          Local<Alive> other;
          Semaphore touched(0);
          std::array<Thread, 3> threads;
          for (Thread& thread : threads) {
            thread = Thread([&] {
              (void)**local;
              (void)*other;
              touched.release();
            });
            thread.start();
          }
          for (std::size_t n = 0; n < threads.size(); ++n) touched.acquire();
          local.reset();  // while the threads end
          for (Thread& thread : threads) thread.join();
          EXPECT_EQ(Alive::count(), 0);
          ++rounds_run;
        }
      },
      [&] { return rounds_run > 0; });
}

TEST(TimerStress, CancelAndTheTimeHaveExactlyOneWinner) {
  long fired = 0, cancelled = 0;
  stress(
      [&](long rounds) {
        for (long i = 0; i < few(rounds); ++i) {
          std::atomic<int> calls{0}, wins{0};
          Timer timer(std::chrono::microseconds(i % 200), [&] { ++calls; });
          timer.start();
          {
            const Actor other([&] { wins += timer.cancel(); });
            if (i % 3 == 0) wins += timer.cancel();
          }
          timer.join();
          EXPECT_EQ(calls + wins, 1);
          EXPECT_TRUE(timer.finished());
          fired += calls;
          cancelled += wins;
        }
      },
      [&] { return fired > 0 && cancelled > 0; });
}

// Some fire, some are cancelled, some are destroyed; the heap and its thread come and go.
TEST(TimerStress, OfManyNoneIsLostAndNoneFiresTwice) {
  std::atomic<long> fired{0}, cancelled{0};
  stress(
      [&](long rounds) {
        const auto run = [&](unsigned seed) {
          for (long round = 0; round < few(rounds); ++round) {
            std::array<std::atomic<int>, 16> calls{};
            std::array<bool, 16> won{};
            std::vector<std::unique_ptr<Timer>> timers;
            for (std::size_t i = 0; i < calls.size(); ++i) {
              seed = seed * 1664525 + 1013904223;
              timers.push_back(std::make_unique<Timer>(std::chrono::microseconds(seed >> 23),
                                                       [&call = calls[i]] { ++call; }));
              timers.back()->start();
              if (i % 4 == 3) won[i / 2] = timers[i / 2]->cancel();
            }
            for (std::size_t i = 0; i < calls.size(); ++i) {
              if (seed >> i & 1) won[i] = won[i] || timers[i]->cancel();
              timers[i]->join();
              EXPECT_EQ(calls[i] + won[i], 1);
              EXPECT_TRUE(timers[i]->finished());
              (won[i] ? cancelled : fired) += 1;
            }
          }
        };
        const Actor first([&] { run(1); }), second([&] { run(2); });
      },
      [&] { return fired > 0 && cancelled > 0; });
}

TEST(TimerStress, AMillionMayBePending) {
  const std::size_t many = test::thread_sanitizer || test::address_sanitizer ? 20'000 : 1'000'000;
  std::vector<std::unique_ptr<Timer>> timers;
  timers.reserve(many);
  for (std::size_t i = 0; i < many; ++i) {
    timers.push_back(
        std::make_unique<Timer>(1h + std::chrono::microseconds(i * 7919 % many), [] {}));
    timers.back()->start();
  }
  EXPECT_EQ(active_count(), many + 1);
  Event fired;
  Timer soon(1ms, [&] { fired.set(); });
  soon.start();
  fired.wait();
  soon.join();
  for (std::size_t i = 0; i < many; i += 2) EXPECT_TRUE(timers[i * 7919 % many]->cancel());
  EXPECT_EQ(active_count(), many / 2 + 1);
}

// Its thread ends when it has nothing to do for a tenth of a second: just then comes the next.
TEST(TimerStress, TheNextMayComeAsTheirThreadEnds) {
  long calls = 0;
  stress(
      [&](long rounds) {
        for (long i = 0; i < few(rounds); ++i) {
          Event never;
          (void)never.wait(100ms + std::chrono::microseconds(i * 17 % 200 - 100));
          Timer timer(1us, [&] { ++calls; });
          timer.start();
          timer.join();
        }
      },
      [&] { return calls > 0; });
}

TEST(GroupStress, MembersStartFailAndStop) {
  long failed = 0, clean = 0;
  const ExceptHook before = set_excepthook([](const ExceptHookArgs&) {});
  stress(
      [&](long rounds) {
        for (long i = 0; i < few(rounds); ++i) {
          std::atomic<int> running{0};
          try {
            Group group;
            for (int member = 0; member < 4; ++member) {
              group.start([&, member](std::stop_token stop) {
                ++running;
                if (member == 2 && i % 2 == 0) {
                  --running;
                  throw std::runtime_error("boom");
                }
                if (member == 3) {
                  group.start([&] {
                    ++running;
                    --running;
                  });
                }
                if (i % 2 == 0) {
                  Event never;
                  (void)never.wait(stop);
                }
                --running;
              });
            }
            group.join();
            EXPECT_EQ(group.active_count(), 0u);
            ++clean;
          } catch (const std::runtime_error&) {
            ++failed;
          }
          EXPECT_EQ(running, 0);
        }
      },
      [&] { return failed > 0 && clean > 0; });
  set_excepthook(before);
}

}  // namespace
}  // namespace thrum
