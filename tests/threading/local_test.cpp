// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/local.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/blocked.h"
#include "support/items.h"
#include "thrum/threading.h"

namespace thrum {
namespace {

using test::Actor;

template <class Body>
void in_thread(Body body) {
  Thread thread(body);
  thread.start();
  thread.join();
}

struct Tag;
using Value = test::Counted<Tag>;  // counts how many live

static_assert(!std::is_copy_constructible_v<Local<int>> &&
              !std::is_move_constructible_v<Local<int>>);

TEST(Local, EveryThreadHasItsOwnValue) {
  Local<int> local(1);
  *local = 2;
  in_thread([&] {
    EXPECT_FALSE(local.has_value());
    EXPECT_EQ(*local, 1);
    *local = 3;
    EXPECT_EQ(local.get(), 3);
  });
  EXPECT_EQ(*local, 2);
}

TEST(Local, IsMadeWhenTheThreadFirstTouchesIt) {
  std::atomic<int> made{0};
  struct Counts {
    explicit Counts(std::atomic<int>* n) { ++*n; }
  };
  Local<Counts> local(&made);
  EXPECT_EQ(made, 0);
  in_thread([] {});
  EXPECT_EQ(made, 0) << "a thread that does not touch it has none";
  (void)local.get();
  (void)local.get();
  EXPECT_EQ(made, 1);
  in_thread([&] { (void)local.get(); });
  EXPECT_EQ(made, 2);
}

TEST(Local, MakesEachValueFromACopyOfItsArguments) {
  Local<std::vector<std::string>> local(3, "x");
  local->push_back("mine");
  in_thread([&] { EXPECT_EQ(*local, std::vector<std::string>(3, "x")); });
  EXPECT_EQ(local->size(), 4u);
}

TEST(Local, HoldsWhatCannotMove) {
  Local<Lock> local;
  local->acquire();
  in_thread([&] { EXPECT_FALSE(local->locked()); });
  local->release();
}

TEST(Local, IsTheSameValueEachTime) {
  const Local<int> local(0);
  const int* const first = &*local;
  EXPECT_EQ(&local.get(), first);
  EXPECT_EQ(local.operator->(), first);
}

TEST(Local, HasValueOnlyInThreadsThatTouchedIt) {
  Local<int> local(0);
  EXPECT_FALSE(local.has_value());
  EXPECT_FALSE(local.has_value()) << "asking makes none";
  (void)*local;
  EXPECT_TRUE(local.has_value());
  in_thread([&] { EXPECT_FALSE(local.has_value()); });
}

TEST(Local, ResetDestroysTheCallersValueOnly) {
  Local<Value> local;
  (void)*local;
  in_thread([&] {
    (void)*local;
    EXPECT_EQ(Value::count(), 2);
    local.reset();
    EXPECT_EQ(Value::count(), 1);
    EXPECT_FALSE(local.has_value());
    local.reset();
  });
  EXPECT_TRUE(local.has_value());
  local.reset();
  EXPECT_EQ(Value::count(), 0);
  (void)*local;
  EXPECT_EQ(Value::count(), 1) << "the next get() makes a new one";
}

TEST(Local, AConstructorThatThrowsLeavesNoValue) {
  struct Throws {
    explicit Throws(const std::atomic<bool>* fail) {
      if (*fail) throw std::runtime_error("boom");
    }
    Value value;
  };
  std::atomic<bool> fail{true};
  Local<Throws> local(&fail);
  EXPECT_THROW((void)*local, std::runtime_error);
  EXPECT_FALSE(local.has_value());
  EXPECT_EQ(Value::count(), 0);
  fail = false;
  EXPECT_NO_THROW((void)*local);
}

TEST(Local, AThreadsValueIsDestroyedWhenItEnds) {
  Local<Value> local;
  Thread thread([&] { (void)*local; });
  thread.start();
  thread.join();
  EXPECT_EQ(Value::count(), 0) << "join() is after that";
}

TEST(Local, OfAThreadNotMadeByUsIsDestroyedWhenItEnds) {
  Local<Value> local;
  std::thread([&] { (void)*local; }).join();
  EXPECT_EQ(Value::count(), 0);
}

TEST(Local, OfAThreadThatExitsOrThrowsIsDestroyed) {
  Local<Value> local;
  in_thread([&] {
    (void)*local;
    pthread_exit(nullptr);
  });
  EXPECT_EQ(Value::count(), 0);
  set_excepthook([](const ExceptHookArgs&) {});
  in_thread([&] {
    (void)*local;
    throw 1;
  });
  set_excepthook({});
  EXPECT_EQ(Value::count(), 0);
}

// A thread_local that looks at a Local when the thread ends.
struct Looks {
  Local<int>* at = nullptr;
  int* seen = nullptr;
  ~Looks() {
    if (seen != nullptr) *seen = at->has_value() ? **at : -1;
  }
};
thread_local Looks looks;

TEST(Local, ValuesAreDestroyedAfterTheThreadLocals) {
  Local<int> local(0);
  int seen = 0;
  in_thread([&] {
    looks.at = &local;
    looks.seen = &seen;
    *local = 7;
  });
  EXPECT_EQ(seen, 7);
}

struct Makes {
  Local<int>* in = nullptr;
  int* seen = nullptr;
  ~Makes() {
    if (in != nullptr) *seen = **in;
  }
};
thread_local Makes makes;

TEST(Local, AThreadLocalsDestructorMayMakeAValue) {
  Local<int> local(5);
  int seen = 0;
  in_thread([&] {
    makes.in = &local;
    makes.seen = &seen;
  });
  EXPECT_EQ(seen, 5);
}

// A value whose destructor touches a Local.
struct Touches {
  explicit Touches(const std::function<void()>* how) : touch(how) {}
  ~Touches() { (*touch)(); }
  const std::function<void()>* touch;
  Value value;
};

TEST(Local, AValuesDestructorMayTouchAnotherLocal) {
  for (const bool exists : {false, true}) {
    Local<Value> other;
    const std::function<void()> touch = [&] { (void)*other; };
    Local<Touches> local(&touch);
    in_thread([&] {
      if (exists) (void)*other;
      (void)*local;
    });
    EXPECT_EQ(Value::count(), 0) << "what is made then is destroyed too";
  }
}

TEST(Local, AValuesDestructorMayMakeItAgain) {
  int left = 3;
  std::unique_ptr<Local<Touches>> local;
  const std::function<void()> touch = [&] {
    if (left-- > 0) (void)**local;
  };
  local = std::make_unique<Local<Touches>>(&touch);
  in_thread([&] { (void)**local; });
  EXPECT_EQ(left, -1);
  EXPECT_EQ(Value::count(), 0);
}

TEST(Local, AValuesDestructorMayMakeItAgainInReset) {
  int left = 1;
  std::unique_ptr<Local<Touches>> local;
  const std::function<void()> touch = [&] {
    if (left-- > 0) (void)**local;
  };
  local = std::make_unique<Local<Touches>>(&touch);
  (void)**local;
  local->reset();
  EXPECT_TRUE(local->has_value());
  EXPECT_EQ(Value::count(), 1);
  local->reset();
  EXPECT_EQ(Value::count(), 0);
}

TEST(Local, AValuesDestructorMayUseEveryPrimitive) {
  Lock lock;
  Semaphore semaphore(0);
  Event event;
  Queue<std::string> names;
  const std::function<void()> touch = [&] {
    const Guard guard(lock);
    semaphore.release();
    event.set();
    names.put(current_thread().name());
  };
  Local<Touches> local(&touch);
  Thread thread({.name = "late"}, [&] { (void)*local; });
  thread.start();
  event.wait();
  semaphore.acquire();
  EXPECT_EQ(names.get(), "late");
}

TEST(Local, AValuesDestructorMayBlock) {
  Event begun, go_on;
  const std::function<void()> touch = [&] {
    begun.set();
    go_on.wait();
  };
  Local<Touches> local(&touch);
  Thread thread([&] { (void)*local; });
  thread.start();
  begun.wait();
  EXPECT_FALSE(thread.join(nonblocking));
  go_on.set();
  thread.join();
  EXPECT_EQ(Value::count(), 0);
}

TEST(Local, DestroyedWhileThreadsLiveDestroysAllValues) {
  std::optional<Local<Value>> local(std::in_place);
  Event touched, leave;
  Actor actor([&] {
    (void)**local;
    touched.set();
    leave.wait();
  });
  touched.wait();
  (void)**local;
  EXPECT_EQ(Value::count(), 2);
  local.reset();
  EXPECT_EQ(Value::count(), 0);
  leave.set();  // the thread ends after the Local
}

TEST(Local, AtTheAddressOfADestroyedOneHasNoValueYet) {
  std::optional<Local<int>> local(std::in_place, 1);
  const void* const address = &*local;
  **local = 2;
  local.emplace(3);
  EXPECT_EQ(&*local, address);
  EXPECT_FALSE(local->has_value());
  EXPECT_EQ(**local, 3);
}

TEST(Local, MayBeOneOfMany) {
  std::vector<std::unique_ptr<Local<std::size_t>>> locals;
  for (std::size_t i = 0; i < 200; ++i) locals.push_back(std::make_unique<Local<std::size_t>>(i));
  const auto check = [&] {
    for (std::size_t i = 0; i < locals.size(); ++i) EXPECT_EQ(**locals[i], i);
    for (std::size_t i = 0; i < locals.size(); i += 2) **locals[i] = 1000 + i;
    for (std::size_t i = 0; i < locals.size(); i += 3) locals[i]->reset();
    for (std::size_t i = 0; i < locals.size(); ++i) {
      EXPECT_EQ(**locals[i], i % 2 == 0 && i % 3 != 0 ? 1000 + i : i);
    }
  };
  check();
  in_thread(check);
}

TEST(Local, ThatComeAndGoAreForgotten) {
  // By a thread that lives long.
  for (int i = 0; i < 10'000; ++i) {
    Local<int> local(i);
    EXPECT_EQ(*local, i);
  }
}

TEST(Local, TheMainThreadsValueLivesAsLongAsTheLocal) {
  {
    Local<Value> local;
    (void)*local;
    EXPECT_EQ(Value::count(), 1);
  }
  EXPECT_EQ(Value::count(), 0);
}

TEST(Local, DestroyedWhileAThreadEndsDestroysEachValueOnce) {
  for (int round = 0; round < 200; ++round) {
    auto local = std::make_unique<Local<Value>>();
    Event touched;
    Thread thread([&] {
      (void)**local;
      touched.set();
    });
    thread.start();
    touched.wait();
    local.reset();
    thread.join();
    EXPECT_EQ(Value::count(), 0);
  }
}

}  // namespace
}  // namespace thrum
