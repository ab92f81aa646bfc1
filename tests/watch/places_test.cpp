// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "analysis/places.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analysis/analysis.h"

namespace thrum::analysis {
namespace {

// Frames of a program that has no debug information: functions, all of one file.
std::string here_of(const std::vector<std::string>& functions) {
  std::vector<Frame> frames;
  for (const std::string& function : functions) frames.push_back({function, {}, 0, "/bin/server"});
  const Frame* const frame = here(frames);
  return frame != nullptr ? text_of(*frame) : "";
}

TEST(Places, WithoutDebugInformationTheFramesOfThisLibraryArePassedOver) {
  EXPECT_EQ(here_of({"thrum::waist::say_wait_begins(thrum::Word const&)", "thrum::wait()",
                     "thrum::Lock::acquire_slow()", "handle(Job&)", "main"}),
            "handle (server)");
}

TEST(Places, WhatAThreadRunsIsHereWhereItWasInlined) {
  EXPECT_EQ(here_of({"thrum::wait()", "thrum::Thread::Bound<main::{lambda()#3}>::run()",
                     "thrum::ThreadRecord::run()", "start_thread"}),
            "main::{lambda()#3} (server)");
  EXPECT_EQ(here_of({"std::thread::_State_impl<std::thread::_Invoker<std::tuple<Pool::start(int)::"
                     "{lambda(std::vector<int, std::allocator<int> >)#1}, int> > >::_M_run()",
                     "start_thread"}),
            "Pool::start(int)::{lambda(std::vector<int, std::allocator<int> >)#1} (server)");
}

TEST(Places, AFunctionOfTheUserBeforeItIsNearer) {
  EXPECT_EQ(
      here_of({"thrum::wait()", "handle(Job&)", "thrum::Thread::Bound<main::{lambda()#3}>::run()"}),
      "handle (server)");
}

TEST(Places, AFunctionThatIsCalledByItsAddressHasAFrameOfItsOwn) {
  EXPECT_EQ(here_of({"thrum::wait()", "thrum::Thread::Bound<void (*)(int), int>::run()"}),
            "thrum::wait (server)");
}

TEST(Places, AFunctionOfThisLibraryIsKnownBehindTheTypeThatItReturns) {
  EXPECT_EQ(here_of({"decltype ({parm#1}(true)) thrum::EventCount::block_on<thrum::Lock>()",
                     "std::optional<int> thrum::take<int, char>(char)", "handle(Job&)"}),
            "handle (server)");
  EXPECT_EQ(here_of({"thrum::Lock give<int>(thrum::Lock&)", "main"}),
            "thrum::Lock give<int> (server)");
}

TEST(Places, ALockOfTheProgramsOwnIsPassedOver) {
  EXPECT_EQ(here_of({"leveldb::port::Mutex::Lock()", "leveldb::MutexLock::MutexLock(Mutex*)",
                     "leveldb::DBImpl::Get(Slice const&)", "main"}),
            "leveldb::DBImpl::Get (server)");
  for (const char* const wrapper :
       {"absl::Mutex::Lock()", "boost::unique_lock<boost::mutex>::lock()", "uv_mutex_lock",
        "QWaitCondition::wait(QMutex*, unsigned long)", "item_lock", "my::RWLock::read()",
        "void Locker::until<int>(int)", "g_cond_wait", "SDL_LockMutex", "pthreadMutexTry",
        "item_trylock", "rocksdb::InstrumentedMutex::LockInternal()", "absl::Mutex::LockSlow(int)",
        "QMutex::lockInternal()", "BankLock::acquire()", "absl::Mutex::ReaderLock()",
        "my::Guard<my::Mutex>::Guard(my::Mutex&)", "Monitor::wait_without_safepoint_check()"}) {
    EXPECT_EQ(here_of({wrapper, "serve", "main"}), "serve (server)") << wrapper;
  }
  for (const char* const place :
       {"lock_account", "Block::seek(int)", "Clock::read()", "wait_here", "Cache<Mutex>::find(int)",
        "BlockCache::lock(int)", "main", "cache_read", "read", "wait", "BankLock::transfer(int)",
        "BankLockManager::acquire(int)", "Monitor::poll_sensors()", "Mutex::~Mutex()", "try"}) {
    EXPECT_EQ(here_of({place, "other"}),
              std::string(place).substr(0, std::string(place).find('(')) + " (server)");
  }
}

TEST(Places, TheCallerIsTheNearestInAnotherFileThatIsNoLibrary) {
  const std::vector<Frame> frames{
      {"pthread_mutex_lock", "", 0, "/lib/libc.so.6"},
      {"db_mutex_enter", "/src/db.c", 1, "/bin/app"},
      {"db_prepare", "/src/db.c", 2, "/bin/app"},
      {"std::function<void ()>::operator()", "/usr/include/c++/12/x", 3, "/bin/app"},
      {"ask_other", "/src/app.c", 4, "/bin/app"},
      {"main", "/src/main.c", 5, "/bin/app"}};
  const Frame* const at = here(frames);
  ASSERT_EQ(at, &frames[2]);
  EXPECT_EQ(caller(frames, *at), &frames[4]);
  EXPECT_EQ(caller(std::span(frames).first(4), *at), nullptr);
  // Without debug information, another module.
  const std::vector<Frame> bare{{"db_prepare", "", 0, "/lib/libdb.so"},
                                {"db_query", "", 0, "/lib/libdb.so"},
                                {"ask_other", "", 0, "/bin/app"}};
  EXPECT_EQ(caller(bare, bare[0]), &bare[2]);
}

TEST(Places, WhereThereIsNothingButALockOfItsOwnThatIsThePlace) {
  EXPECT_EQ(here_of({"thrum::wait()", "port::Mutex::Lock()"}), "port::Mutex::Lock (server)");
}

TEST(Places, ALockInsideOfTheLibraryIsWorthALineOnlyIfItCosts) {
  Analysis analysis;
  analysis.end = 1'000'000;
  LockSite site;
  site.total_ns = 9'999;
  EXPECT_TRUE(is_worth_a_line(analysis, site));
  site.is_internal = true;
  EXPECT_FALSE(is_worth_a_line(analysis, site));
  site.total_ns = 10'000;
  EXPECT_TRUE(is_worth_a_line(analysis, site));
}

}  // namespace
}  // namespace thrum::analysis
