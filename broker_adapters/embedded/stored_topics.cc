#include "broker_adapters/embedded/stored_topics.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/sqlite_repair.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/limits.h"
#include "broker_adapters/embedded/queue_record.h"
#include "broker_adapters/embedded/stored_limits.h"
#include "broker_adapters/embedded/stored_salvage.h"
#include "broker_adapters/embedded/stored_schema.h"
#include "broker_adapters/pattern.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr const char* kFile = "events.sqlite";
constexpr size_t kMostChannels = 100'000;
constexpr size_t kMostUncommitted = size_t{256} * 1024 * 1024;

}  // namespace

absl::StatusOr<StoredTopics::Disk> StoredTopics::OpenDisk(const StoredOptions& options) {
  Disk disk;
  RepairableFile opening(StoredModel());
  opening.path = options.folder / kFile;
  opening.vfs = options.vfs;
  opening.salvage = SalvageEvents;
  opening.open = [&disk](SQLite::Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(disk.file, StoredFile::Open(database));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(disk.database, OpenRepaired(opening));
  return disk;
}

CommitThread::Hooks StoredTopics::HooksOf() {
  CommitThread::Hooks hooks;
  hooks.rolled_back = [this] { file_->RolledBack(); };
  hooks.damaged = [path = options_.folder / kFile] { MarkDamaged(path); };
  return hooks;
}

StoredTopics::StoredTopics(Executor executor, StoredOptions options, Disk disk)
    : executor_(executor),
      options_(std::move(options)),
      commits_(executor, std::move(disk.database), HooksOf()),
      file_(std::move(disk.file)),
      tasks_(executor),
      full_(executor, TimePoint::max()) {
  for (const StoredFile::Channel& kept : file_->channels()) {
    StoredChannel& channel = ChannelOf(kept.totals.name);
    channel.totals = kept.totals;
    channel.totals.bytes += kept.totals.events * kStoredOverhead;
    bytes_ += channel.totals.bytes;
    for (const StoredPlace& place : kept.places) {
      auto reader = std::make_shared<StoredReader>(place.owner);
      reader->channel = kept.totals.name;
      reader->place = place;
      reader->loaded_to = place.position;
      reader->ready = true;
      channel.readers.emplace(place.owner, std::move(reader));
      ++places_;
    }
  }
  tasks_.Spawn(DropOld());
}

StoredTopics::~StoredTopics() = default;

Awaitable<void> StoredTopics::Stop() {
  if (std::exchange(stopping_, true)) co_return;
  tasks_.Cancel();
  co_await tasks_.Join();
  for (auto& [name, channel] : channels_) {
    for (const auto& [owner, reader] : channel.readers) {
      for (const MemberPtr& member : std::exchange(reader->members, {})) {
        member->topics = nullptr;
        member->reader.reset();
        member->acknowledged.cancel();
      }
      // After what may be on its way already, so this is the one that stays.
      StoredPlace place = reader->place;
      place.position = reader->Position();
      if (!reader->ready || place.position <= reader->place.position) continue;
      commits_.Submit(
          [file = file_.get(), place] {
            file->Move(place);
            return absl::OkStatus();
          },
          0, [](const absl::Status&) {});
    }
  }
  co_await commits_.Stop();
}

StoredChannel& StoredTopics::ChannelOf(const std::string& name) {
  StoredChannel& channel = channels_[name];
  channel.totals.name = name;
  channel.used_at = options_.unix_nanos();
  return channel;
}

absl::Status StoredTopics::Stopping() {
  return MakeFault(Fault::kShuttingDown, "the message broker is shutting down: publish elsewhere or later");
}

absl::Status StoredTopics::CheckRoom(const std::string& channel, size_t bytes) const {
  if (channels_.size() >= kMostChannels && !channels_.contains(channel))
    return MakeFault(Fault::kOverloaded, "there are too many channels of stored events: use fewer names");
  const size_t waiting = commits_.waiting_bytes();
  if (waiting == 0 || waiting + bytes <= kMostUncommitted) return absl::OkStatus();
  return MakeFault(Fault::kOverloaded,
                   "the disk does not keep up with what is published: publish again later",
                   Milliseconds(1'000));
}

Awaitable<absl::StatusOr<uint64_t>> StoredTopics::Publish(Message event) {
  if (stopping_) co_return Stopping();
  CO_RETURN_IF_ERROR(CheckChannel(event.channel));
  CO_RETURN_IF_ERROR(CheckBody("event", event.body.size(), options_.max_body));
  if (event.id.empty()) event.id = NewId();
  KeptMessage kept;
  kept.message = std::move(event);
  kept.sent_at = options_.unix_nanos();
  const auto record = std::make_shared<const std::string>(Encode(kept));
  const size_t bytes = record->size() + kStoredOverhead;
  CO_RETURN_IF_ERROR(CheckRoom(kept.message.channel, bytes));
  // Shared by the commit thread and the loop.
  const auto stored = std::make_shared<StoredEvent>();
  stored->message = std::move(kept.message);
  CO_RETURN_IF_ERROR(co_await commits_.Commit(
      [file = file_.get(), stored, record, now = options_.unix_nanos] {
        const auto added = file->Add(stored->message.channel, *record, now());
        stored->sequence = added.sequence;
        stored->stored_at = added.stored_at;
        return absl::OkStatus();
      },
      bytes,
      [this, stored, bytes](const absl::Status& status) {
        if (status.ok()) Published(stored, bytes);
      }));
  co_return stored->sequence;
}

void StoredTopics::Published(const StoredEventPtr& event, size_t bytes) {
  StoredChannel& channel = ChannelOf(event->message.channel);
  StoredTotals& totals = channel.totals;
  if (totals.events++ == 0) totals.first_sequence = event->sequence;
  totals.last_sequence = event->sequence;
  totals.last_at = event->stored_at;
  totals.bytes += bytes;
  bytes_ += bytes;
  if (bytes_ > options_.max_bytes) full_.cancel();
  for (StoredReader* reader : channel.live) {
    if (!reader->ready) continue;
    // Who is not behind has it from here, everybody else from disk.
    const bool fits = reader->window.size() < kStoredPage && reader->window_bytes < kStoredPageBytes;
    if (!reader->reading && fits && reader->loaded_to + 1 == event->sequence) {
      reader->Load(event);
      reader->loaded_to = event->sequence;
    }
    Wake(channel.readers.at(reader->place.owner));
  }
}

Awaitable<absl::StatusOr<uint64_t>> StoredTopics::Purge(std::string channel) {
  return Remove(std::move(channel), false);
}

Awaitable<absl::Status> StoredTopics::Delete(std::string channel) {
  co_return (co_await Remove(std::move(channel), true)).status();
}

Awaitable<absl::StatusOr<uint64_t>> StoredTopics::Remove(std::string name, bool whole) {
  if (stopping_) co_return Stopping();
  const auto found = channels_.find(name);
  if (found == channels_.end()) co_return 0;
  whole = whole && found->second.live.empty() && !found->second.deleting;
  found->second.deleting = found->second.deleting || whole;
  const auto removed = std::make_shared<uint64_t>(0);
  CO_RETURN_IF_ERROR(co_await commits_.Commit(
      [file = file_.get(), name, whole, removed] {
        *removed = file->Purge(name, whole);
        return absl::OkStatus();
      },
      0,
      [this, name, whole](const absl::Status& status) {
        const auto channel = channels_.find(name);
        if (channel == channels_.end()) return;
        if (whole) channel->second.deleting = false;
        if (status.ok()) Removed(channel->second, whole);
      }));
  co_return *removed;
}

// Works are done in order, so what is known of the channel now is what was there when it was removed.
void StoredTopics::Removed(StoredChannel& channel, bool whole) {
  bytes_ -= channel.totals.bytes;
  if (whole) {
    places_ -= channel.readers.size();
    channels_.erase(channels_.find(channel.totals.name));
    return;
  }
  channel.totals.events = channel.totals.bytes = channel.totals.first_sequence = 0;
  for (StoredReader* live : channel.live) {
    live->ClearWindow();
    for (const auto& [sequence, event] : live->again) live->open.erase(sequence);
    live->again.clear();
    live->loaded_to = std::max(live->loaded_to, channel.totals.last_sequence);
    Save(channel.readers.at(live->place.owner));
  }
}

std::vector<StoredTotals> StoredTopics::Channels() const {
  std::vector<StoredTotals> all;
  for (const auto& [name, channel] : channels_) {
    all.push_back(channel.totals);
    for (const StoredReader* reader : channel.live) all.back().subscribers += reader->members.size();
  }
  return all;
}

}  // namespace llm_router
