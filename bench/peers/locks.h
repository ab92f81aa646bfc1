// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// Locks under std's names.
#pragma once

#include <pthread.h>

#ifdef BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif
#ifdef BENCH_NSYNC
#include <nsync.h>
#endif
#ifdef BENCH_TBB
#include <oneapi/tbb/queuing_mutex.h>
#endif

namespace bench {

class PthreadMutex {
 public:
  void lock() noexcept { (void)pthread_mutex_lock(&mutex_); }
  void unlock() noexcept { (void)pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

#ifdef BENCH_ABSL
class AbslMutex {
 public:
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

 private:
  absl::Mutex mutex_;
};
#endif

#ifdef BENCH_NSYNC
class NsyncMu {
 public:
  void lock() noexcept { nsync::nsync_mu_lock(&mu_); }
  void unlock() noexcept { nsync::nsync_mu_unlock(&mu_); }

 private:
  nsync::nsync_mu mu_ = NSYNC_MU_INIT;
};
#endif

#ifdef BENCH_TBB
// Its place in the line belongs to the holder.
class TbbQueuingMutex {
 public:
  void lock() { place().acquire(mutex_); }
  void unlock() { place().release(); }

 private:
  static tbb::queuing_mutex::scoped_lock& place() noexcept {
    static thread_local tbb::queuing_mutex::scoped_lock place;
    return place;
  }
  tbb::queuing_mutex mutex_;
};
#endif

}  // namespace bench
