// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/deadline.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <ratio>
#include <string>
#include <type_traits>

#include "support/expect.h"

namespace thrum {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration;
using std::chrono::nanoseconds;
using std::chrono::time_point;
using Steady = std::chrono::steady_clock;
using test::refuses;

// A clock that a test can set.
struct SetClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SetClock>;
  [[maybe_unused]] static constexpr bool is_steady = false;
  static inline time_point present{};
  static time_point now() { return present; }
};

template <class From>
constexpr bool converts =
    std::is_convertible_v<From, Deadline> && std::is_constructible_v<Deadline, From>;
template <class From>
constexpr bool refused =
    !std::is_convertible_v<From, Deadline> && !std::is_constructible_v<Deadline, From>;

static_assert(converts<NonBlocking> && converts<Forever> && converts<std::stop_token>);
static_assert(converts<nanoseconds> && converts<std::chrono::seconds> &&
              converts<std::chrono::years>);
static_assert(converts<duration<double>> && converts<duration<float, std::milli>> &&
              converts<duration<long double, std::nano>>);
static_assert(converts<duration<unsigned>> && converts<duration<std::uint64_t, std::pico>> &&
              converts<duration<std::int8_t, std::ratio<1, 60>>>);
static_assert(converts<Steady::time_point> && converts<time_point<Steady, std::chrono::hours>> &&
              converts<time_point<Steady, duration<double>>>);
static_assert(converts<std::chrono::system_clock::time_point> &&
              converts<std::chrono::file_clock::time_point> && converts<SetClock::time_point> &&
              converts<time_point<SetClock, duration<double>>>);

static_assert(refused<bool> && refused<char> && refused<int> && refused<unsigned> &&
              refused<long> && refused<float> && refused<double>);
static_assert(refused<std::nullptr_t> && refused<void*> && refused<const char*> &&
              refused<std::string> && refused<std::unique_ptr<int>>);
static_assert(refused<std::stop_source> && refused<std::stop_source*>);
static_assert(!std::is_default_constructible_v<Deadline>);
static_assert(std::is_copy_constructible_v<Deadline> && std::is_copy_assignable_v<Deadline>);
static_assert(sizeof(Deadline) == 16);

TEST(Deadline, ForeverHasNoLimit) {
  const Deadline deadline = forever;
  EXPECT_TRUE(deadline.is_forever());
  EXPECT_FALSE(deadline.is_poll());
  EXPECT_FALSE(deadline.expired());
}

TEST(Deadline, NonblockingIsOneAttempt) {
  const Deadline deadline = nonblocking;
  EXPECT_TRUE(deadline.is_poll());
  EXPECT_FALSE(deadline.is_forever());
  EXPECT_TRUE(deadline.expired());
}

TEST(Deadline, ZeroAndNegativeMeanOneAttemptWithoutSleeping) {
  EXPECT_TRUE(Deadline(0s).is_poll());
  EXPECT_TRUE(Deadline(0.0s).is_poll());
  EXPECT_TRUE(Deadline(-1ns).is_poll());
  EXPECT_TRUE(Deadline(-5h).is_poll());
  EXPECT_TRUE(Deadline(nanoseconds::min()).is_poll());
  EXPECT_TRUE(Deadline(std::chrono::hours::min()).is_poll());
  EXPECT_TRUE(Deadline(duration<double>(-1e300)).is_poll());
  EXPECT_TRUE(Deadline(duration<double>(-INFINITY)).is_poll());
  EXPECT_TRUE(Deadline(Steady::time_point::min()).is_poll());
  EXPECT_FALSE(Deadline(1ns).is_poll());
}

TEST(Deadline, TooLargeSaturatesToForever) {
  EXPECT_TRUE(Deadline(nanoseconds::max()).is_forever());
  EXPECT_TRUE(Deadline(std::chrono::hours::max()).is_forever());
  EXPECT_TRUE(Deadline(duration<std::uint64_t>(UINT64_MAX)).is_forever());
  EXPECT_TRUE(Deadline(duration<std::uint64_t, std::nano>(UINT64_MAX)).is_forever());
  EXPECT_TRUE(Deadline(duration<double>(1e300)).is_forever());
  EXPECT_TRUE(Deadline(duration<float>(INFINITY)).is_forever());
  EXPECT_TRUE(Deadline(Steady::time_point::max()).is_forever());
  EXPECT_TRUE(Deadline(time_point<Steady, duration<double>>(duration<double>(1e300))).is_forever());
}

TEST(Deadline, AnUnsignedDurationIsNeverNegative) {
  EXPECT_TRUE(Deadline(duration<unsigned>(0)).is_poll());
  const Deadline deadline = duration<std::uint32_t>(UINT32_MAX);
  EXPECT_FALSE(deadline.is_poll());
  EXPECT_FALSE(deadline.is_forever());
  EXPECT_FALSE(deadline.expired());
}

TEST(Deadline, AnyUnitIsConvertedExactly) {
  const auto after = [](auto timeout) {
    const std::int64_t now = Deadline::now_ns();
    return Deadline(timeout).at_ns() - now;
  };
  EXPECT_GE(after(duration<std::int64_t, std::pico>(7'000)), 7);
  EXPECT_GE(after(duration<int, std::ratio<1, 3>>(3)), 1'000'000'000);
  // Eight thousand million seconds fit; their thirds times 10^9 do not.
  EXPECT_GE(after(duration<std::int64_t, std::ratio<1, 3>>(24'000'000'000)),
            8'000'000'000'000'000'000);
  EXPECT_GE(after(duration<float, std::milli>(0.5f)), 500'000);
  EXPECT_GE(after(duration<std::int8_t, std::ratio<3600>>(std::int8_t{100})), 360'000'000'000'000);
  EXPECT_GE(after(duration<std::uint64_t, std::atto>(UINT64_MAX)), 18'000'000'000);
}

TEST(Deadline, NanIsRefused) {
  const double nan = std::nan("");
  EXPECT_TRUE(refuses("thrum::Deadline", [&] { (void)Deadline(duration<double>(nan)); }));
  EXPECT_TRUE(refuses("thrum::Deadline", [&] { (void)Deadline(duration<float, std::nano>(NAN)); }));
  EXPECT_TRUE(refuses("thrum::Deadline", [&] {
    (void)Deadline(time_point<Steady, duration<double>>(duration<double>(nan)));
  }));
  EXPECT_TRUE(refuses("thrum::Deadline", [&] {
    (void)Deadline(time_point<SetClock, duration<double>>(duration<double>(nan)));
  }));
}

TEST(Deadline, ADurationCountsFromTheConstruction) {
  const std::int64_t before = Deadline::now_ns();
  const Deadline deadline = 10s;
  const std::int64_t after = Deadline::now_ns();
  EXPECT_GE(deadline.at_ns(), before + 10'000'000'000);
  EXPECT_LE(deadline.at_ns(), after + 10'000'000'000);
}

TEST(Deadline, ASteadyTimePointIsKeptAsItIs) {
  const Steady::time_point time(nanoseconds(123'456'789));
  EXPECT_EQ(Deadline(time).at_ns(), 123'456'789);
  EXPECT_TRUE(Deadline(time).expired());
  EXPECT_EQ(Deadline(time_point<Steady, duration<double>>(0.5s)).at_ns(), 500'000'000);
}

TEST(Deadline, APastTimePointHasExpired) {
  EXPECT_TRUE(Deadline(Steady::now()).expired());
  EXPECT_TRUE(Deadline(Steady::now() - 1h).expired());
  EXPECT_TRUE(Deadline(std::chrono::system_clock::now() - 1h).expired());
  EXPECT_FALSE(Deadline(Steady::now() + 1h).expired());
}

TEST(Deadline, ATimePointOfAnotherClockIsConvertedOnce) {
  SetClock::present = SetClock::time_point(1h);
  const Deadline deadline = SetClock::now() + 1min;
  const std::int64_t at_ns = deadline.at_ns();
  EXPECT_GT(at_ns, Deadline::now_ns());
  SetClock::present += 24h;  // setting the clock does not move it
  EXPECT_EQ(deadline.at_ns(), at_ns);
  EXPECT_FALSE(deadline.expired());
  SetClock::present -= 48h;
  EXPECT_EQ(deadline.at_ns(), at_ns);
}

TEST(Deadline, ASystemTimePointIsAsFarAwayAsItSays) {
  const std::int64_t before = Deadline::now_ns();
  const Deadline deadline = std::chrono::system_clock::now() + 1h;
  EXPECT_GE(deadline.at_ns(), before + 3'590'000'000'000);  // the wall clock may be slewed
  EXPECT_TRUE(Deadline(std::chrono::system_clock::time_point::min()).is_poll());
  EXPECT_FALSE(Deadline(std::chrono::system_clock::time_point::max()).expired());
}

TEST(Deadline, OrStopKeepsTheTime) {
  std::stop_source source;
  const Deadline at = Steady::now() + 1h;
  const Deadline both = at.or_stop(source.get_token());
  EXPECT_EQ(both.at_ns(), at.at_ns());
  EXPECT_FALSE(at.stop().stop_possible());
  EXPECT_TRUE(both.stop().stop_possible());
  EXPECT_FALSE(both.expired());
  source.request_stop();
  EXPECT_TRUE(both.expired());
  EXPECT_FALSE(at.expired());
}

TEST(Deadline, AStopTokenAloneHasNoLimitOfTime) {
  std::stop_source source;
  const Deadline deadline = source.get_token();
  EXPECT_TRUE(deadline.is_forever());
  EXPECT_FALSE(deadline.expired());
  source.request_stop();
  EXPECT_TRUE(deadline.is_forever());
  EXPECT_TRUE(deadline.expired());
}

TEST(Deadline, ATokenWithoutASourceIsForever) {
  const Deadline deadline = std::stop_token();
  EXPECT_TRUE(deadline.is_forever());
  EXPECT_FALSE(deadline.expired());
}

TEST(Deadline, AtMostIsTheSoonerOfTheTwo) {
  std::stop_source source;
  const Deadline far = Deadline(24h).or_stop(source.get_token());
  const Deadline soon = far.at_most(1h);
  EXPECT_LT(soon.at_ns(), far.at_ns());
  EXPECT_EQ(soon.stop(), far.stop());
  EXPECT_EQ(soon.at_most(2h).at_ns(), soon.at_ns());
  EXPECT_FALSE(Deadline(forever).at_most(1h).is_forever());
  EXPECT_TRUE(Deadline(forever).at_most(nanoseconds::max()).is_forever());
  EXPECT_TRUE(Deadline(nonblocking).at_most(1h).is_poll());
  EXPECT_TRUE(far.at_most(0ns).is_poll());
}

TEST(Deadline, NoLaterThanIsTheSoonerOfTheTwo) {
  std::stop_source source;
  const Deadline far = Deadline(24h).or_stop(source.get_token());
  const Deadline soon = far.no_later_than(far.at_ns() - 1);
  EXPECT_EQ(soon.at_ns(), far.at_ns() - 1);
  EXPECT_EQ(soon.stop(), far.stop());
  EXPECT_EQ(soon.no_later_than(far.at_ns()).at_ns(), soon.at_ns());
  EXPECT_EQ(Deadline(forever).no_later_than(7).at_ns(), 7);
  EXPECT_TRUE(Deadline(nonblocking).no_later_than(7).is_poll());
}

TEST(Deadline, ACopyGivesUpWithTheOriginal) {
  std::stop_source source;
  const Deadline original = Deadline(1h).or_stop(source.get_token());
  Deadline copy = original;
  EXPECT_EQ(copy.at_ns(), original.at_ns());
  source.request_stop();
  EXPECT_TRUE(copy.expired());
  copy = forever;
  EXPECT_FALSE(copy.expired());
}

}  // namespace
}  // namespace thrum
