// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "thrum/local.h"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "thrum/lock.h"

namespace thrum {

// Owns the values: one of the thread's end and the Local's end takes each out, under the lock, and
// destroys it without.
struct LocalBase::Shared {
  Value* add(std::unique_ptr<Value> value) {
    const Guard guard(lock);
    value->place_ = values.size();
    values.push_back(std::move(value));
    return values.back().get();
  }
  std::unique_ptr<Value> remove(const Value* value) noexcept {
    const Guard guard(lock);
    if (over) return nullptr;  // the Local took it, *value may be gone
    const std::size_t place = value->place_;
    std::unique_ptr<Value> removed = std::move(values[place]);
    if (place + 1 != values.size()) {
      values[place] = std::move(values.back());
      values[place]->place_ = place;
    }
    values.pop_back();
    return removed;
  }
  std::vector<std::unique_ptr<Value>> end() noexcept {
    const Guard guard(lock);
    over = true;
    return std::exchange(values, {});
  }
  bool is_over() noexcept {
    const Guard guard(lock);
    return over;
  }

  Lock lock;
  std::vector<std::unique_ptr<Value>> values;  // guarded by lock
  bool over = false;                           // guarded by lock
};

struct LocalBase::Table {
  struct Entry {
    std::shared_ptr<Shared> of;  // keeps the address, by which it is found, from being used again
    Value* value;
  };
  std::vector<Entry> entries;

  Entry* find(const Shared* of) noexcept {
    for (Entry& entry : entries) {
      if (entry.of.get() == of) return &entry;
    }
    return nullptr;
  }
};

namespace {

constinit thread_local void* tls_table = nullptr;

}  // namespace

// The pthread key's destructor: after the thread_locals. A value's destructor may make other
// values.
void LocalBase::thread_exits(void* raw) noexcept {
  const std::unique_ptr<Table> table(static_cast<Table*>(raw));
  constexpr int kMostRounds = 1000;  // of values that make each other again and again
  for (int round = 0; round < kMostRounds && !table->entries.empty(); ++round) {
    const Table::Entry last = std::move(table->entries.back());
    table->entries.pop_back();
    (void)last.of->remove(last.value);
  }
  tls_table = nullptr;
}

LocalBase::Table& LocalBase::own_table() {
  static constinit pthread_once_t once = PTHREAD_ONCE_INIT;
  static pthread_key_t key;
  if (tls_table == nullptr) {
    pthread_once(&once, [] { pthread_key_create(&key, thread_exits); });
    tls_table = new Table();
    pthread_setspecific(key, tls_table);
  }
  return *static_cast<Table*>(tls_table);
}

LocalBase::LocalBase() : shared_(std::make_shared<Shared>()) {}
LocalBase::~LocalBase() { (void)shared_->end(); }

LocalBase::Value* LocalBase::find() const noexcept {
  if (tls_table == nullptr) return nullptr;
  const Table::Entry* const entry = static_cast<Table*>(tls_table)->find(shared_.get());
  return entry != nullptr ? entry->value : nullptr;
}

LocalBase::Value* LocalBase::insert(std::unique_ptr<Value> value) {
  std::vector<Table::Entry>& entries = own_table().entries;
  if (entries.size() == entries.capacity()) {
    std::erase_if(entries, [](const Table::Entry& entry) { return entry.of->is_over(); });
    entries.reserve(2 * entries.size() + 4);
  }
  entries.push_back({shared_, shared_->add(std::move(value))});
  return entries.back().value;
}

void LocalBase::erase() noexcept {
  if (tls_table == nullptr) return;
  Table& table = *static_cast<Table*>(tls_table);
  if (Table::Entry* const entry = table.find(shared_.get()); entry != nullptr) {
    const Table::Entry erased = std::exchange(*entry, table.entries.back());
    table.entries.pop_back();
    (void)erased.of->remove(erased.value);
  }
}

}  // namespace thrum
