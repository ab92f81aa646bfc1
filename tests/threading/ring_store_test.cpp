// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/ring_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "support/blocked.h"
#include "support/expect.h"
#include "support/failing_new.h"
#include "support/items.h"
#include "thrum/queue.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Freezable;
using test::Freezer;

std::optional<int> taken(RingStore<int>& store) {
  std::optional<int> item;
  (void)store.try_get([&](int&& i) noexcept { item = i; }, false);
  return item;
}
Outcome put(RingStore<int>& store, int item) { return store.try_put(item, false); }

TEST(RingStore, AnyCapacityWorksOverManyLaps) {
  for (std::size_t capacity = 1; capacity <= 17; ++capacity) {
    RingStore<int> store(capacity);
    int next = 0, expected = 0;
    for (int lap = 0; lap < 100; ++lap) {
      // Each lap begins elsewhere in the ring.
      while (put(store, next) == Outcome::done) ++next;
      ASSERT_EQ(store.size(), capacity);
      ASSERT_TRUE(store.full());
      const std::size_t leave = static_cast<std::size_t>(lap) % (capacity + 1);
      while (store.size() > leave) ASSERT_EQ(taken(store), expected++);
      ASSERT_EQ(store.puts(), static_cast<std::uint64_t>(next));
      ASSERT_EQ(store.gets(), static_cast<std::uint64_t>(expected));
    }
  }
}

TEST(RingStore, HasRoomForSeveralFromAQuarterOnOrSixteen) {
  for (const std::size_t capacity : {1u, 2u, 3u, 4u, 6u, 17u, 64u, 100u}) {
    const std::size_t several = std::clamp<std::size_t>(capacity / 4, 1, 16);
    RingStore<int> store(capacity);
    for (int lap = 0; lap < 40; ++lap) {
      EXPECT_TRUE(store.has_room_for_several());
      while (put(store, lap) == Outcome::done) {
        // With one getter the free slots follow each other.
        EXPECT_EQ(store.has_room_for_several(), capacity - store.size() >= several) << capacity;
      }
      EXPECT_FALSE(store.has_room_for_several());
      // The next lap begins elsewhere in the ring.
      for (int i = 0; i < 3; ++i) (void)taken(store);
      while (put(store, lap) == Outcome::done) {
      }
      for (std::size_t room = 1; room <= capacity; ++room) {
        ASSERT_TRUE(taken(store).has_value());
        EXPECT_EQ(store.has_room_for_several(), room >= several) << capacity;
      }
    }
  }
}

TEST(RingStore, AgreesWithADequeWhateverTheLimit) {
  std::mt19937 random(2);  // the same numbers each time
  for (int round = 0; round < 50; ++round) {
    std::size_t limit = random() % 6;
    RingStore<int> store(limit);
    std::deque<int> model;
    for (int i = 0; i < 3000; ++i) {
      switch (random() % 16) {
        case 0: {
          constexpr std::array<std::size_t, 12> kLimits{0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 64, 1000};
          limit = kLimits.at(random() % (i % 3 == 0 ? 12 : 9));
          store.set_limit(limit);
          break;
        }
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
        case 7: {
          const bool fits = limit == 0 || model.size() < limit;
          ASSERT_EQ(put(store, i), fits ? Outcome::done : Outcome::would_block);
          if (fits) model.push_back(i);
          break;
        }
        default: {
          const std::optional<int> item = taken(store);
          ASSERT_EQ(item.has_value(), !model.empty());
          if (!item) break;
          ASSERT_EQ(*item, model.front());
          model.pop_front();
        }
      }
      ASSERT_EQ(store.size(), model.size());
      ASSERT_EQ(store.full(), limit != 0 && model.size() >= limit);
    }
    store.close();
    store.close();
    ASSERT_TRUE(store.is_closed());
    ASSERT_EQ(put(store, 0), Outcome::closed);
    while (!model.empty()) {
      ASSERT_EQ(taken(store), model.front());
      model.pop_front();
    }
    ASSERT_EQ(store.try_get([](int&&) noexcept {}, false), Outcome::closed);
    ASSERT_EQ(store.size(), 0u);
  }
}

TEST(BulkOfAQueue, AgreesWithADequeWhateverTheLimit) {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    std::size_t limit = random() % 9;
    Queue<int> queue(static_cast<std::int64_t>(limit));
    std::deque<int> model;
    std::vector<int> items(100);
    int next = 0;
    for (int step = 0; step < 300; ++step) {
      const std::size_t wanted = random() % (step % 50 == 0 ? 100 : 12);
      switch (random() % 3) {
        case 0: {
          for (std::size_t i = 0; i < wanted; ++i) items[i] = next + static_cast<int>(i);
          const std::size_t room = limit == 0 ? wanted : limit - std::min(limit, model.size());
          const std::size_t put = queue.put_bulk(std::span(items).first(wanted), nonblocking);
          ASSERT_EQ(put, std::min(wanted, room));
          for (std::size_t i = 0; i < put; ++i) model.push_back(next++);
          break;
        }
        case 1: {
          const std::vector<int> got = queue.get_bulk(wanted, nonblocking);
          ASSERT_EQ(got.size(), std::min(wanted, model.size()));
          for (const int item : got) {
            ASSERT_EQ(item, model.front());
            model.pop_front();
          }
          break;
        }
        default:
          if (limit != 0 && step % 20 == 0) {
            limit = 1 + random() % 150;  // the ring is smaller or larger than that
            queue.set_maxsize(static_cast<std::int64_t>(limit));
          } else if (const auto item = queue.get(nonblocking)) {  // bulk begins anywhere
            ASSERT_EQ(*item, model.front());
            model.pop_front();
          }
      }
      ASSERT_EQ(queue.qsize(), model.size());
    }
  }
}

// A bulk is claimed at once, published one by one.
TEST(AHalfDonePutBulk, GivesTheItemsBeforeItsOwnMoveAndKeepsTheOrder) {
  Queue<Freezable> queue(8);
  queue.put(0);
  std::vector<Freezable> items;
  for (const int i : {1, 2, 3}) items.emplace_back(i);
  Freezer freezer;
  Actor putter([&] {
    freezer.freeze_me();
    queue.put_bulk(items);
  });
  freezer.until_frozen();
  queue.put(4);
  EXPECT_EQ(queue.qsize(), 5u);
  EXPECT_EQ(queue.get(nonblocking), 0);
  EXPECT_FALSE(queue.get(nonblocking)) << "4 is behind what is not there yet";
  EXPECT_TRUE(queue.get_bulk(9, nonblocking).empty());
  freezer.thaw();
  putter.join();
  EXPECT_EQ(queue.get_bulk(9, nonblocking).size(), 4u);
}

TEST(AHalfDonePutBulk, IsFinishedIfTheQueueIsShutDownMeanwhile) {
  Queue<Freezable> queue(8);
  std::vector<Freezable> items;
  for (const int i : {1, 2, 3}) items.emplace_back(i);
  Freezer freezer;
  Actor putter([&] {
    freezer.freeze_me();
    queue.put_bulk(items);
  });
  freezer.until_frozen();
  queue.shutdown();
  freezer.thaw();
  putter.join();
  EXPECT_EQ(queue.get_bulk(9).size(), 3u);
  EXPECT_THROW((void)queue.get(), ShutDown);
}

TEST(APutBulk, WakesASleeperWhoWakesTheNext) {
  Queue<int> queue(64);
  std::deque<Actor> getters;
  for (int i = 0; i < 4; ++i) getters.emplace_back([&] { (void)queue.get(); });
  for (const Actor& getter : getters) getter.until_blocked_on(queue);
  std::vector<int> items(4);
  queue.put_bulk(items);
  getters.clear();
  EXPECT_TRUE(queue.empty());
}

TEST(AGetBulk, WakesASleeperWhoWakesTheNext) {
  Queue<int> queue(4);
  std::vector<int> items(4);
  queue.put_bulk(items);
  std::deque<Actor> putters;
  for (int i = 0; i < 4; ++i) putters.emplace_back([&] { queue.put(1); });
  for (const Actor& putter : putters) putter.until_blocked_on(queue);
  EXPECT_EQ(queue.get_bulk(4).size(), 4u);
  putters.clear();
  EXPECT_TRUE(queue.full());
}

TEST(RingStore, GrowsOverSeveralRingsInOrder) {
  RingStore<int> store(0);
  int expected = 0;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(put(store, i), Outcome::done);
    if (i % 3 == 0) {
      ASSERT_EQ(taken(store), expected++);
    }
  }
  while (const std::optional<int> item = taken(store)) ASSERT_EQ(*item, expected++);
  EXPECT_EQ(expected, 100'000);
}

TEST(RingStore, KeepsTheLimitExactlyWhileItGrowsToIt) {
  constexpr std::size_t kLimit = 20'000;  // several times 64 KiB of slots
  RingStore<int> store(kLimit);
  for (int lap = 0; lap < 3; ++lap) {
    for (std::size_t i = 0; i < kLimit; ++i) ASSERT_EQ(put(store, 1), Outcome::done);
    ASSERT_EQ(put(store, 1), Outcome::would_block);
    for (std::size_t i = 0; i < kLimit; ++i) ASSERT_EQ(taken(store), 1);
    ASSERT_EQ(taken(store), std::nullopt);
  }
}

TEST(RingStore, AllocatesNothingInUse) {
  for (const std::size_t limit : {0u, 1u, 7u, 64u}) {
    RingStore<int> store(limit);
    const std::size_t before = test::bytes_allocated();
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(put(store, i), Outcome::done);
      ASSERT_EQ(taken(store), i);
    }
    EXPECT_EQ(test::bytes_allocated(), before);
  }
}

TEST(Queue, AllocatesLittleForAHugeMaxsize) {
  for (const std::int64_t maxsize : {INT64_MAX, std::int64_t{1'000'000'000'000}}) {
    const std::size_t before = test::bytes_allocated();
    Queue<int> queue(maxsize);
    EXPECT_LE(test::bytes_allocated() - before, 66u * 1024);
    LifoQueue<int> lifo(maxsize);
    PriorityQueue<int> priority(maxsize);
    EXPECT_LE(test::bytes_allocated() - before, 70u * 1024);
  }
}

TEST(Queue, AllocatesWhatASmallMaxsizeNeeds) {
  const std::size_t before = test::bytes_allocated();
  Queue<int> queue(4);
  EXPECT_LE(test::bytes_allocated() - before, 512u);
}

TEST(RingStore, RingsOfALimitedQueueThatWereLeftAreTogetherNoLargerThanTheLast) {
  const std::size_t before = test::bytes_allocated();
  RingStore<int> store(64 * 1024);
  for (int i = 0; i < 64 * 1024; ++i) ASSERT_EQ(put(store, i), Outcome::done);
  EXPECT_LE(test::bytes_allocated() - before, 2u * 64 * 1024 * 16 + 8192);
}

// --- Without a limit

constexpr std::size_t kFewRings = 12 * 65 * 1024;  // bytes: 64 KiB each, and what belongs to it
constexpr int kBurst = 1'000'000;

TEST(RingStore, GivesBackTheMemoryOfABurst) {
  RingStore<int> store(0);
  const std::size_t before = test::bytes_in_use();
  for (int burst = 0; burst < 3; ++burst) {
    for (int i = 0; i < kBurst; ++i) ASSERT_EQ(put(store, i), Outcome::done);
    EXPECT_GE(test::bytes_in_use() - before, sizeof(int) * kBurst);
    for (int i = 0; i < kBurst; ++i) ASSERT_EQ(taken(store), i);
    EXPECT_LE(test::bytes_in_use() - before, kFewRings);
  }
}

TEST(RingStore, AllocatesNothingInUseWhateverIsInIt) {
  RingStore<int> store(0);
  int next = 0, expected = 0;
  const auto pass = [&](int n) {
    for (int i = 0; i < n; ++i) {
      ASSERT_EQ(put(store, next++), Outcome::done);
      ASSERT_EQ(taken(store), expected++);
    }
  };
  while (next < 20'000) ASSERT_EQ(put(store, next++), Outcome::done);  // several rings
  pass(100'000);
  const std::size_t before = test::bytes_allocated();
  pass(kBurst);
  EXPECT_EQ(test::bytes_allocated(), before);
}

TEST(AHalfDoneGet, KeepsItsRing) {
  Queue<Freezable> queue;
  int next = 0, expected = 0;
  const auto put = [&](int n) {
    for (; n > 0; --n) queue.put(next++);
  };
  const auto get = [&](int n) {
    for (; n > 0; --n) ASSERT_EQ(queue.get(nonblocking), expected++);
  };
  put(20'000);
  get(10'000);  // rings are as large as they get
  Freezer freezer;
  Actor getter([&, item = expected++] {
    freezer.freeze_me();
    EXPECT_EQ(queue.get(), item);
  });
  freezer.until_frozen();
  for (int i = 0; i < 200; ++i) {  // rings are left, and used again, but not that one
    put(1000);
    get(1000);
  }
  put(100'000);  // all that were left are in use
  freezer.thaw();
  getter.join();  // has written to its slot
  get(next - expected);
  EXPECT_TRUE(queue.empty());
}

// hard-bugs 22: who is frozen half-way stops nobody else.

TEST(AHalfDonePut, DoesNotBlockANonblockingGet) {
  Queue<Freezable> queue;
  Freezer freezer;
  Actor putter([&] {
    freezer.freeze_me();
    queue.put(1);
  });
  freezer.until_frozen();
  EXPECT_EQ(queue.get(nonblocking), std::nullopt);
  EXPECT_EQ(queue.get(1ms), std::nullopt);
  EXPECT_TRUE(queue.get_bulk(3, nonblocking).empty());
  EXPECT_TRUE(queue.put(2, nonblocking));
  EXPECT_EQ(queue.get(nonblocking), std::nullopt) << "first in, first out";
  EXPECT_EQ(queue.qsize(), 2u);
  freezer.thaw();
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.get(), 2);
}

TEST(AHalfDonePut, DoesNotBlockOtherPutters) {
  for (const std::int64_t maxsize : {2, 3, 0}) {
    Queue<Freezable> queue(maxsize);
    Freezer freezer;
    Actor putter([&] {
      freezer.freeze_me();
      queue.put(0);
    });
    freezer.until_frozen();
    const int room = maxsize == 0 ? 1000 : static_cast<int>(maxsize) - 1;
    for (int i = 1; i <= room; ++i) EXPECT_TRUE(queue.put(i, nonblocking));
    if (maxsize != 0) {
      EXPECT_FALSE(queue.put(1, nonblocking));
    }
    EXPECT_EQ(queue.full(), maxsize != 0);
    freezer.thaw();
    for (int i = 0; i <= room; ++i) EXPECT_EQ(queue.get(), i);
  }
}

TEST(AHalfDonePut, LetsABlockedGetterSleepAndThenServesIt) {
  Queue<Freezable> queue;
  Freezer freezer;
  Actor putter([&] {
    freezer.freeze_me();
    queue.put(1);
  });
  freezer.until_frozen();
  std::stop_source source;
  Actor timed([&] { EXPECT_EQ(queue.get(20ms), std::nullopt); });
  Actor stoppable([&] { EXPECT_EQ(queue.get(source.get_token()), std::nullopt); });
  timed.join();
  stoppable.until_blocked_on(queue);
  source.request_stop();
  stoppable.join();
  Actor patient([&] { EXPECT_EQ(queue.get(), 1); });
  for (int i = 0; i < 5; ++i) patient.until_blocked_on(queue);
  freezer.thaw();
}

TEST(AHalfDonePut, OfAnotherPutterDoesNotKeepASleepersWakeUp) {
  // The frozen one has taken the permit to wake; what comes after it must be served all the same.
  Queue<Freezable> queue;
  std::atomic<int> sum{0};
  Actor a([&] { sum += queue.get(); });
  Actor b([&] { sum += queue.get(); });
  a.until_blocked_on(queue);
  b.until_blocked_on(queue);
  Freezer freezer;
  Actor putter([&] {
    freezer.freeze_me();
    queue.put(1);
  });
  freezer.until_frozen();
  queue.put(2);
  freezer.thaw();
  a.join();
  b.join();
  EXPECT_EQ(sum, 3);
}

TEST(AHalfDoneGet, DoesNotBlockANonblockingPut) {
  Queue<Freezable> queue(2);
  queue.put(1);
  queue.put(2);
  Freezer freezer;
  Actor getter([&] {
    freezer.freeze_me();
    EXPECT_EQ(queue.get(), 1);
  });
  freezer.until_frozen();
  EXPECT_EQ(queue.qsize(), 1u);
  EXPECT_FALSE(queue.put(3, nonblocking)) << "its slot is not free yet";
  EXPECT_FALSE(queue.put(3, 1ms));
  EXPECT_EQ(queue.get(nonblocking), 2);
  EXPECT_EQ(queue.get(nonblocking), std::nullopt);
  EXPECT_FALSE(queue.put(3, nonblocking));
  freezer.thaw();
  getter.join();
  EXPECT_TRUE(queue.put(3, nonblocking));
  EXPECT_TRUE(queue.put(4, nonblocking));
  EXPECT_FALSE(queue.put(5, nonblocking));
  EXPECT_EQ(queue.get(), 3);
}

TEST(AHalfDoneGet, LetsABlockedPutterSleepAndThenServesIt) {
  Queue<Freezable> queue(1);
  queue.put(1);
  Freezer freezer;
  Actor getter([&] {
    freezer.freeze_me();
    EXPECT_EQ(queue.get(), 1);
  });
  freezer.until_frozen();
  std::stop_source source;
  Actor timed([&] { EXPECT_FALSE(queue.put(2, 20ms)); });
  Actor stoppable([&] { EXPECT_FALSE(queue.put(2, source.get_token())); });
  timed.join();
  stoppable.until_blocked_on(queue);
  source.request_stop();
  stoppable.join();
  Actor patient([&] { queue.put(2); });
  for (int i = 0; i < 5; ++i) patient.until_blocked_on(queue);
  freezer.thaw();
  patient.join();
  EXPECT_EQ(queue.get(), 2);
}

TEST(AHalfDoneGet, IsPassedByLapsOfAQueueWithoutLimit) {
  Queue<Freezable> queue;
  queue.put(-1);
  Freezer freezer;
  Actor getter([&] {
    freezer.freeze_me();
    EXPECT_EQ(queue.get(), -1);
  });
  freezer.until_frozen();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(queue.put(i, nonblocking));
    EXPECT_EQ(queue.get(nonblocking), i);
  }
  freezer.thaw();
}

TEST(AHalfDoneGet, IsPassedByLapsOfAQueueWhoseLimitWasLowered) {
  Queue<Freezable> queue(8);
  queue.set_maxsize(2);
  queue.put(-1);
  Freezer freezer;
  Actor getter([&] {
    freezer.freeze_me();
    EXPECT_EQ(queue.get(), -1);
  });
  freezer.until_frozen();
  int expected = 0;
  for (int i = 0; i < 1000; ++i) {
    if (!queue.put(i, nonblocking)) break;
    EXPECT_EQ(queue.get(nonblocking), i);
    expected = i + 1;
  }
  EXPECT_GE(expected, 7);
  freezer.thaw();
  getter.join();
  EXPECT_TRUE(queue.put(5, nonblocking));
  EXPECT_EQ(queue.get(), 5);
}

TEST(HalfDoneGets, OfSeveralThreadsEndInAnyOrder) {
  Queue<Freezable> queue(3);
  for (const int i : {1, 2, 3}) queue.put(i);
  std::array<Freezer, 3> freezers;
  std::atomic<int> sum{0};
  std::deque<Actor> getters;
  for (Freezer& freezer : freezers) {
    getters.emplace_back([&] {
      freezer.freeze_me();
      sum += queue.get();
    });
    freezer.until_frozen();
  }
  EXPECT_TRUE(queue.empty());
  for (const std::size_t i : {1u, 2u, 0u}) {
    EXPECT_FALSE(queue.put(4, nonblocking)) << "the slots are used in order";
    freezers.at(i).thaw();
    getters.at(i).join();
  }
  EXPECT_EQ(sum, 6);
  for (const int i : {4, 5, 6}) EXPECT_TRUE(queue.put(i, nonblocking));
  for (const int i : {4, 5, 6}) EXPECT_EQ(queue.get(), i);
}

TEST(HalfDonePuts, OfSeveralThreadsEndInAnyOrder) {
  Queue<Freezable> queue(3);
  std::array<Freezer, 3> freezers;
  std::deque<Actor> putters;
  for (int i = 0; i < 3; ++i) {
    Freezer& freezer = freezers.at(static_cast<std::size_t>(i));
    putters.emplace_back([&, i] {
      freezer.freeze_me();
      queue.put(i);
    });
    freezer.until_frozen();
  }
  EXPECT_TRUE(queue.full());
  for (const std::size_t i : {1u, 2u, 0u}) {
    EXPECT_EQ(queue.get(nonblocking), std::nullopt);
    freezers.at(i).thaw();
    putters.at(i).join();
  }
  for (const int i : {0, 1, 2}) EXPECT_EQ(queue.get(nonblocking), i);
}

// Rings and the end

TEST(Queue, KeepsItsOrderWhenMaxsizeRisesAboveTheRing) {
  Queue<int> queue(2);
  int next = 0, expected = 0;
  for (const std::int64_t maxsize : {3, 5, 4, 8, 9, 100, 2, 0, 7, 0, 300}) {
    queue.set_maxsize(maxsize);
    const int most = maxsize == 0 ? next + 400 : next + static_cast<int>(maxsize);
    while (next < most && queue.put(int{next}, nonblocking)) ++next;
    EXPECT_TRUE(maxsize == 0 || queue.full());
    for (int i = 0; i < 2; ++i) EXPECT_EQ(queue.get(nonblocking), expected++);
  }
  while (expected < next) EXPECT_EQ(queue.get(nonblocking), expected++);
  EXPECT_EQ(queue.get(nonblocking), std::nullopt);
}

TEST(Queue, KeepsItsOrderWhileMaxsizeChangesUnderIt) {
  struct Item {
    int putter, number;
  };
  constexpr int kEach = 20'000;
  Queue<Item> queue(1);
  std::atomic<bool> over{false};
  Actor changer([&] {
    std::mt19937 random(3);
    constexpr std::array<std::int64_t, 8> kSizes{1, 3, 64, 2, 7, 200, 5, 0};
    while (!over) {
      queue.set_maxsize(kSizes.at(random() % 7));
      test::let_others_run();
    }
    queue.set_maxsize(0);
  });
  std::deque<Actor> actors;
  for (int p = 0; p < 2; ++p) {
    actors.emplace_back([&, p] {
      for (int i = 0; i < kEach; ++i) queue.put({p, i});
    });
  }
  std::atomic<int> got{0};
  for (int g = 0; g < 2; ++g) {
    actors.emplace_back([&] {
      std::array<int, 2> last{-1, -1};
      for (int i = 0; i < kEach; ++i) {
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
  changer.join();
  EXPECT_EQ(got, 2 * kEach);
  EXPECT_TRUE(queue.empty());
}

TEST(Queue, NeverHoldsMoreThanMaxsize) {
  // A single getter: what it sees inside is never less than what is.
  for (const std::int64_t maxsize : {3, 6000}) {  // one ring, and one that grows to its limit
    Queue<int> queue(maxsize);
    std::atomic<int> inside{0}, most{0};
    std::deque<Actor> putters;
    constexpr int kEach = 12'000;
    for (int p = 0; p < 3; ++p) {
      putters.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          queue.put(1);
          const int now = ++inside;
          for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
          }
        }
      });
    }
    for (int i = 0; i < 3 * kEach; ++i) {
      --inside;  // before: the room is not there yet
      (void)queue.get();
    }
    putters.clear();
    EXPECT_LE(most, maxsize);
  }
}

TEST(Queue, AnEndThatMeetsAGrowingRingLosesNothing) {
  int refused = 0;
  for (int round = 0; round < 300 || refused == 0; ++round) {
    Queue<int> queue(1);
    queue.put(0);
    queue.set_maxsize(0);
    std::atomic<bool> go{false};
    std::atomic<int> put{1}, got{0};
    const auto put_some = [&] {
      test::until([&] { return go.load(); });
      for (int i = 0; i < 4; ++i) put += queue.put(int{i}, nonblocking);
    };
    Actor a(put_some), b(put_some);
    Actor c([&] {
      while (queue.get(1h)) ++got;
    });
    go = true;
    for (int i = round % 4; i > 0; --i) test::let_others_run();
    queue.shutdown();
    a.join();
    b.join();
    c.join();
    EXPECT_EQ(got, put);
    refused += put < 9;
  }
}

// hard-bugs 29: a put in a signal handler that interrupts a put or a get.

Queue<int>* interrupted = nullptr;
std::atomic<int> put_in_handler{0};

TEST(Queue, PutMayInterruptItselfInASignalHandler) {
  Queue<int> queue(64);
  interrupted = &queue;
  put_in_handler = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { put_in_handler += interrupted->put(1000, nonblocking); };
  struct sigaction before{};
  sigaction(SIGUSR1, &action, &before);
  std::atomic<bool> over{false};
  std::atomic<int> put{0}, got{0};
  Actor worker([&] {
    while (!over) {
      put += queue.put(1, nonblocking);
      got += queue.get(nonblocking).has_value();
    }
  });
  while (put_in_handler < 100) {
    ASSERT_EQ(tgkill(getpid(), worker.tid(), SIGUSR1), 0);
    test::let_others_run();
    got += queue.get(nonblocking).has_value();
  }
  over = true;
  worker.join();
  sigaction(SIGUSR1, &before, nullptr);
  while (queue.get(nonblocking)) ++got;
  EXPECT_EQ(got, put + put_in_handler);
  EXPECT_EQ(queue.unfinished_tasks(), static_cast<std::uint64_t>(got));
}

TEST(Queue, NoCallIsRefusedBecauseASignalHandlerCameBetween) {
  // The handler puts and gets between any two steps of a put or a get. One queue's limit is its
  // ring's size, one's is larger.
  for (const std::int64_t maxsize : {1000, 1'000'000}) {
    Queue<int> queue(maxsize);
    interrupted = &queue;
    put_in_handler = 0;
    struct sigaction action{};
    action.sa_handler = [](int) {
      for (int i = 0; i < 3; ++i) {
        put_in_handler += interrupted->put(0, nonblocking) && interrupted->get(nonblocking);
      }
    };
    struct sigaction before{};
    sigaction(SIGUSR1, &action, &before);
    std::atomic<bool> over{false};
    Actor worker([&] {
      while (!over) {
        EXPECT_TRUE(queue.put(1, nonblocking));
        EXPECT_TRUE(queue.get(nonblocking).has_value());
      }
    });
    // A get in the handler finds nothing only behind a half-done put.
    for (test::Rounds rounds(2000); rounds.next();) {
      ASSERT_EQ(tgkill(getpid(), worker.tid(), SIGUSR1), 0);
      test::let_others_run();
    }
    test::until([] { return put_in_handler > 0; });
    over = true;
    worker.join();
    sigaction(SIGUSR1, &before, nullptr);
  }
}

}  // namespace
}  // namespace thrum
