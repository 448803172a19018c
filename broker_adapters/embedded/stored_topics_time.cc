// What time and growth do: old events go, then the oldest, then channels that nobody uses.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/stored_limits.h"
#include "broker_adapters/embedded/stored_topics.h"

namespace llm_router {
namespace {

constexpr auto kTryAgain = std::chrono::seconds(1);
constexpr size_t kDroppedAtOnce = 4'096;
constexpr size_t kMostIdle = 100;  // channels a sweep

}  // namespace

int64_t StoredTopics::OldBefore() const {
  return options_.unix_nanos() -
         std::chrono::duration_cast<std::chrono::nanoseconds>(options_.max_age).count();
}

Awaitable<void> StoredTopics::DropOld() {
  while (!co_await Cancelled()) {
    if (bytes_ <= options_.max_bytes) {
      full_.expires_at(Now() + options_.sweep);
      (void)co_await full_.async_wait(kUseTuple);
    }
    while (!co_await Cancelled() && co_await DropSome()) {
    }
    if (!co_await Cancelled()) co_await DropIdle();
  }
}

// Whether there may be more.
Awaitable<bool> StoredTopics::DropSome() {
  const auto erased = std::make_shared<std::map<std::string, StoredFile::Erased>>();
  const uint64_t excess = bytes_ > options_.max_bytes ? bytes_ - options_.max_bytes : 0;
  const absl::Status dropped = co_await commits_.Commit(
      [file = file_.get(), erased, excess, before = OldBefore()] {
        *erased = file->EraseOldest(before, excess, kDroppedAtOnce);
        return absl::OkStatus();
      },
      0,
      [this, erased](const absl::Status& status) {
        if (status.ok()) Dropped(*erased);
      });
  if (dropped.ok()) co_return !erased->empty();
  if (!co_await Cancelled()) log::Error("old stored events can't be removed: {}", MessageOf(dropped));
  (void)co_await Sleep(Now() + kTryAgain);
  co_return false;
}

void StoredTopics::Dropped(const std::map<std::string, StoredFile::Erased>& erased) {
  for (const auto& [name, gone] : erased) {
    const auto found = channels_.find(name);
    if (found == channels_.end()) continue;
    StoredTotals& totals = found->second.totals;
    totals.events -= std::min(totals.events, gone.events);
    const uint64_t bytes = std::min(totals.bytes, gone.bytes + gone.events * kStoredOverhead);
    totals.bytes -= bytes;
    bytes_ -= bytes;
    totals.first_sequence = totals.events == 0 ? 0 : gone.last_sequence + 1;
  }
}

Awaitable<void> StoredTopics::DropIdle() {
  const int64_t before = OldBefore();
  std::vector<std::string> idle;
  for (const auto& [name, channel] : channels_) {
    if (idle.size() == kMostIdle) break;
    for (const StoredReader* reader : channel.live) Save(channel.readers.at(reader->place.owner));
    if (channel.totals.events == 0 && channel.live.empty() && channel.used_at < before) idle.push_back(name);
  }
  for (std::string& name : idle) (void)co_await Delete(std::move(name));
}

}  // namespace llm_router
