// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Many items through every kind of queue, by every kind of call: nothing is lost, doubled or
// overtaken; and what the test is about, blocking and giving up, really happened.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <vector>

#include "stress/budget.h"
#include "support/blocked.h"
#include "support/items.h"
#include "support/page.h"
#include "thrum/queue.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Page;

struct Item {
  int putter, number;
  friend bool operator<(const Item& a, const Item& b) { return a.number < b.number; }
};
struct ThrowingItem : Item {
  ThrowingItem(int p, int n) : Item{p, n} {}
  ThrowingItem(ThrowingItem&& other) noexcept(false) : Item(other) {}
  ThrowingItem& operator=(ThrowingItem&& other) noexcept(false) {
    Item::operator=(other);
    return *this;
  }
};

// A queue, and the Item type that goes through it.
struct Ring {
  using Queue = thrum::Queue<Item>;
  static constexpr bool kInOrder = true;
};
struct Locked {
  using Queue = thrum::Queue<ThrowingItem>;
  static constexpr bool kInOrder = true;
};
struct Lifo {
  using Queue = LifoQueue<Item>;
  static constexpr bool kInOrder = false;
};
struct Priority {
  using Queue = PriorityQueue<Item>;
  static constexpr bool kInOrder = false;
};

struct Plan {
  int putters, getters;
  std::int64_t maxsize;
};

// What the rounds of one test add up to.
struct Happened {
  std::atomic<int> slept_in_put{0}, slept_in_get{0}, gave_up_put{0}, gave_up_get{0};
};

// Each putter and getter takes its calls in turn: plain, timed, with a stop token, in bulk.
template <class Kind>
class Round {
 public:
  Round(Plan plan, long each, Happened& happened)
      : plan_(plan), each_(static_cast<int>(each)), happened_(happened), queue_(plan.maxsize) {}

  // Returns after all items went through.
  void run() {
    std::deque<Actor> putters, getters;
    start(putters, getters);
    putters.clear();
    EXPECT_EQ(put_, std::int64_t{plan_.putters} * each_);
    queue_.join();
    queue_.shutdown();
    getters.clear();
    EXPECT_EQ(got_, put_);
    EXPECT_EQ(got_sum_, put_sum_);
    check_empty();
  }

  // The end comes half-way; what was put is got or dropped.
  void run_with_end(bool immediate) {
    std::deque<Actor> putters, getters;
    start(putters, getters);
    const std::int64_t half = std::int64_t{plan_.putters} * each_ / 2;
    test::until([&] { return put_ >= half; });
    queue_.shutdown(immediate);
    putters.clear();
    getters.clear();
    queue_.join();
    EXPECT_LE(got_, put_);
    if (!immediate) {
      EXPECT_EQ(got_, put_);
      EXPECT_EQ(got_sum_, put_sum_);
    }
    check_empty();
  }

 private:
  using Q = typename Kind::Queue;
  using T = decltype(std::declval<Q&>().get());

  void start(std::deque<Actor>& putters, std::deque<Actor>& getters) {
    for (int p = 0; p < plan_.putters; ++p) putters.emplace_back([this, p] { put_all(p); });
    for (int g = 0; g < plan_.getters; ++g) getters.emplace_back([this, g] { get_all(g); });
    // Somebody blocks where the plan makes it likely.
    for (int i = 0; i < 5; ++i) {
      for (const Actor& putter : putters) happened_.slept_in_put += sleeps(putter);
      for (const Actor& getter : getters) happened_.slept_in_get += sleeps(getter);
      test::let_others_run();
    }
  }
  bool sleeps(const Actor& actor) const { return test::is_blocked(actor.tid()); }

  void check_empty() {
    EXPECT_EQ(queue_.qsize(), 0u);
    EXPECT_EQ(queue_.unfinished_tasks(), 0u);
    EXPECT_EQ(queue_.get(nonblocking), std::nullopt);
  }

  void count(std::atomic<std::int64_t>& items, std::atomic<std::int64_t>& sum, int number) {
    items.fetch_add(1, std::memory_order_relaxed);
    sum.fetch_add(number, std::memory_order_relaxed);
  }

  void put_all(int putter) {
    std::stop_source source;
    for (int number = 0; number < each_;) {
      T item{putter, number};
      bool in = false;
      switch ((number + putter) % 5) {
        case 0:
          try {
            queue_.put(std::move(item));
            in = true;
          } catch (const ShutDown&) {
          }
          break;
        case 1:
          in = queue_.put(std::move(item), 20us);
          break;
        case 2:
          in = queue_.put(std::move(item), source.get_token());
          break;
        case 3:
          in = queue_.put(std::move(item), nonblocking) ||
               queue_.put(std::move(item), Deadline(50us).or_stop(source.get_token()));
          break;
        case 4:
          in = queue_.put_bulk({&item, 1}, 1h) == 1;
          break;
      }
      if (in) {
        count(put_, put_sum_, number);
        ++number;
      } else if (queue_.is_shutdown()) {
        return;
      } else {
        ++happened_.gave_up_put;
      }
    }
  }

  void get_all(int getter) {
    std::stop_source source;
    std::vector<int> last(static_cast<std::size_t>(plan_.putters), -1);
    const auto take = [&](const T& item) {
      int& before = last.at(static_cast<std::size_t>(item.putter));
      if (Kind::kInOrder) {
        EXPECT_GT(item.number, before);
      }
      before = item.number;
      count(got_, got_sum_, item.number);
      queue_.task_done();
    };
    for (unsigned turn = static_cast<unsigned>(getter);; ++turn) {
      std::optional<T> item;
      switch (turn % 5) {
        case 0:
          try {
            const T next = queue_.get();
            take(next);
            continue;
          } catch (const ShutDown&) {
            return;
          }
        case 1:
          item = queue_.get(20us);
          break;
        case 2:
          item.reset();
          if (std::optional<T> next = queue_.get(source.get_token())) {
            take(*next);
            continue;
          }
          break;
        case 3:
          for (const T& next : queue_.get_bulk(3, Deadline(50us).or_stop(source.get_token()))) {
            take(next);
          }
          continue;
        case 4:
          for (T& next : queue_.items(nonblocking)) take(next);
          break;
      }
      if (item) {
        take(*item);
      } else if (queue_.is_shutdown() && queue_.empty()) {
        return;
      } else {
        ++happened_.gave_up_get;
      }
    }
  }

  const Plan plan_;
  const int each_;
  Happened& happened_;
  Q queue_;
  std::atomic<std::int64_t> put_{0}, got_{0}, put_sum_{0}, got_sum_{0};
};

constexpr std::array kPlans{
    Plan{1, 1, 1}, Plan{1, 1, 2},  Plan{1, 1, 64}, Plan{1, 1, 1024}, Plan{1, 1, 0},
    Plan{2, 2, 1}, Plan{2, 2, 2},  Plan{2, 2, 64}, Plan{2, 2, 1024}, Plan{2, 2, 0},
    Plan{4, 4, 1}, Plan{4, 4, 2},  Plan{4, 4, 64}, Plan{4, 4, 1024}, Plan{4, 4, 0},
    Plan{1, 4, 1}, Plan{1, 4, 64}, Plan{1, 4, 0},  Plan{4, 1, 1},    Plan{4, 1, 64},
    Plan{4, 1, 0}, Plan{4, 4, 3},  Plan{4, 4, 7},  Plan{2, 2, 6000}, Plan{3, 2, 5},
};

template <class Kind>
class QueueStress : public testing::Test {};
using Kinds = testing::Types<Ring, Locked, Lifo, Priority>;
TYPED_TEST_SUITE(QueueStress, Kinds);

TYPED_TEST(QueueStress, NothingIsLostDoubledOrOvertaken) {
  Happened happened;
  test::stress(
      [&](long each) {
        for (const Plan& plan : kPlans) Round<TypeParam>(plan, each, happened).run();
      },
      [&] {
        return happened.slept_in_put > 0 && happened.slept_in_get > 0 && happened.gave_up_put > 0 &&
               happened.gave_up_get > 0;
      });
}

TYPED_TEST(QueueStress, AnEndHalfWayLosesNothing) {
  Happened happened;
  test::stress(
      [&](long each) {
        for (const Plan& plan : kPlans) Round<TypeParam>(plan, each, happened).run_with_end(false);
      },
      [&] { return happened.slept_in_put > 0 && happened.slept_in_get > 0; });
}

TYPED_TEST(QueueStress, AnImmediateEndHalfWayLeavesNothing) {
  Happened happened;
  test::stress(
      [&](long each) {
        for (const Plan& plan : kPlans) Round<TypeParam>(plan, each, happened).run_with_end(true);
      },
      [&] { return happened.slept_in_put > 0 && happened.slept_in_get > 0; });
}

// hard-bugs 1, without any call that would find again what a lost wake-up left behind: each item
// must be got by one of those who sleep, though others give up all the time.
TYPED_TEST(QueueStress, NoWakeUpIsLostToThoseWhoGiveUp) {
  using Q = typename TypeParam::Queue;
  std::atomic<int> gave_up{0};
  test::stress(
      [&](long budget) {
        const int rounds = static_cast<int>(budget);
        Q requests(1), answers(1);
        std::atomic<bool> over{false};
        std::deque<Actor> actors;
        // Two sleep without a limit, one gives up again and again; each request needs an answer
        // before the next is made.
        const auto answer = [&](auto&& request) { answers.put({request.putter, request.number}); };
        for (int i = 0; i < 2; ++i) {
          actors.emplace_back([&] {
            for (auto& request : requests) answer(request);
          });
        }
        actors.emplace_back([&] {
          std::stop_source source;
          while (!over) {
            auto request = requests.get(Deadline(5us).or_stop(source.get_token()));
            if (request) {
              answer(*request);
            } else {
              ++gave_up;
            }
          }
        });
        for (int i = 0; i < rounds; ++i) {
          requests.put({0, i});
          EXPECT_EQ(answers.get().number, i);
        }
        over = true;
        requests.shutdown();
      },
      [&] { return gave_up > 0; });
}

// hard-bugs 5 to 7: see queue_lifetime_test.cpp.
TYPED_TEST(QueueStress, AQueueMayVanishAfterItsLastGet) {
  using Q = typename TypeParam::Queue;
  int blocked = 0;
  test::stress(
      [&](long budget) {
        const int rounds = static_cast<int>(budget);
        std::atomic<Q*> shared{nullptr};
        std::atomic<int> finished{-1};
        Actor putter([&] {
          for (int i = 0; i < rounds; ++i) {
            Q* queue = nullptr;
            while ((queue = shared.exchange(nullptr)) == nullptr) shared.wait(nullptr);
            for (int n = 0; n < 3; ++n) queue->put({0, n});
            finished = i;
            finished.notify_one();
          }
        });
        for (int i = 0; i < rounds; ++i) {
          Page<Q> queue(i % 3);
          shared = &*queue;
          shared.notify_one();
          if (i % 3 != 0 && i % 8 == 1) {  // bounded
            test::until([&] { return queue->full(); });
            blocked += test::is_blocked(putter.tid());
          }
          for (int n = 0; n < 3; ++n) (void)queue->get();
          queue.vanish();
          for (int last = finished; last != i; last = finished) finished.wait(last);
        }
      },
      [&] { return blocked > 0; });
}

TYPED_TEST(QueueStress, AQueueMayVanishAfterItsLastJoin) {
  using Q = typename TypeParam::Queue;
  std::atomic<int> gave_up{0};
  test::stress(
      [&](long budget) {
        const int rounds = static_cast<int>(budget);
        std::atomic<Q*> shared{nullptr};
        std::atomic<int> finished{-1};
        Actor worker([&] {
          for (int i = 0; i < rounds; ++i) {
            Q* queue = nullptr;
            while ((queue = shared.exchange(nullptr)) == nullptr) shared.wait(nullptr);
            for (int n = 0; n < 2; ++n) {
              (void)queue->get();
              queue->task_done();
            }
            finished = i;
            finished.notify_one();
          }
        });
        for (int i = 0; i < rounds; ++i) {
          Page<Q> queue(0);
          queue->put({0, 1});
          queue->put({0, 2});
          shared = &*queue;
          shared.notify_one();
          if (i % 2 == 0) {
            queue->join();
          } else {
            while (!queue->join(3us)) ++gave_up;
          }
          queue.vanish();
          for (int last = finished; last != i; last = finished) finished.wait(last);
        }
      },
      [&] { return gave_up > 0; });
}

// Each put adds a ring at once or finds one that another is adding, when the end comes.
TEST(QueueStress, AnEndThatMeetsAGrowingRingIsTheEnd) {
  std::atomic<int> in_the_middle{0};
  test::stress(
      [&](long budget) {
        const int rounds = static_cast<int>(budget);
        std::atomic<Queue<int>*> shared{nullptr};
        std::atomic<int> finished{-1}, put{0};
        Actor putter([&] {
          for (int i = 0; i < rounds; ++i) {
            Queue<int>* queue = nullptr;
            test::until([&] { return (queue = shared.exchange(nullptr)) != nullptr; });
            int n = 0;
            while (n < 60 && queue->put(int{n}, nonblocking)) ++n;
            put = n;
            finished = i;
          }
        });
        for (int i = 0; i < rounds; ++i) {
          Queue<int> queue(1);
          queue.put(0);
          queue.set_maxsize(0);
          shared = &queue;
          test::until([&] { return shared == nullptr; });
          for (int spins = 0; spins < 1000 && queue.qsize() < static_cast<std::size_t>(i % 20);) {
            ++spins;
          }
          queue.shutdown();
          EXPECT_TRUE(queue.is_shutdown());
          EXPECT_FALSE(queue.put(1, nonblocking));
          test::until([&] { return finished == i; });
          EXPECT_EQ(queue.qsize(), static_cast<std::size_t>(put) + 1);
          in_the_middle += put < 60;
        }
      },
      [&] { return in_the_middle > 0; });
}

TEST(QueueStress, PutIsNotRefusedWhileOthersPutAndGet) {
  test::stress(
      [](long each) {
        Queue<Item> queue(1'000'000'000);
        std::deque<Actor> actors;
        for (int i = 0; i < 2; ++i) {
          actors.emplace_back([&] {
            for (int n = 0; n < each; ++n) ASSERT_TRUE(queue.put({0, n}, nonblocking));
          });
          actors.emplace_back([&] {
            for (int n = 0; n < each; ++n) (void)queue.get();
          });
        }
      },
      [] { return true; });
}

TYPED_TEST(QueueStress, SizeIsNeverMoreThanThereEverWas) {
  std::atomic<bool> was_full{false};
  test::stress(
      [&](long budget) {
        constexpr int kMaxsize = 3;
        typename TypeParam::Queue queue(kMaxsize);
        std::atomic<bool> over{false};
        Actor watcher([&] {
          while (!over) {
            const std::size_t size = queue.qsize();
            ASSERT_LE(size, std::size_t{kMaxsize});
            was_full = was_full || size == kMaxsize;
          }
        });
        {
          std::deque<Actor> actors;
          for (int p = 0; p < 2; ++p) {
            actors.emplace_back([&, p] {
              for (int i = 0; i < budget; ++i) queue.put({p, i});
            });
            actors.emplace_back([&] {
              for (int i = 0; i < budget; ++i) (void)queue.get();
            });
          }
        }
        over = true;
        EXPECT_EQ(queue.qsize(), 0u);
      },
      [&] { return was_full.load(); });
}

TEST(QueueStress, MaxsizeMayChangeAllTheTime) {
  test::stress(
      [&](long budget) {
        const int each = static_cast<int>(budget);
        Queue<Item> queue(1);
        std::atomic<bool> over{false};
        Actor changer([&] {
          constexpr std::array<std::int64_t, 9> kSizes{1, 3, 64, 2, 7, 200, 5, 1, 4};
          for (std::size_t i = 0; !over; ++i) {
            queue.set_maxsize(kSizes.at(i % kSizes.size()));
            test::let_others_run();
          }
          queue.set_maxsize(0);
        });
        std::deque<Actor> actors;
        std::atomic<int> got{0};
        for (int p = 0; p < 3; ++p) {
          actors.emplace_back([&, p] {
            for (int i = 0; i < each; ++i) queue.put({p, i});
          });
          actors.emplace_back([&] {
            std::array<int, 3> last{-1, -1, -1};
            for (int i = 0; i < each; ++i) {
              const Item item = queue.get();
              int& before = last.at(static_cast<std::size_t>(item.putter));
              EXPECT_GT(item.number, before);
              before = item.number;
              ++got;
            }
          });
        }
        actors.clear();
        over = true;
        EXPECT_EQ(got, 3 * each);
      },
      [] { return true; });
}

}  // namespace
}  // namespace thrum
