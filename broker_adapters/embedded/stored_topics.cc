#include "broker_adapters/embedded/stored_topics.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/limits.h"
#include "broker_adapters/embedded/pattern.h"
#include "broker_adapters/embedded/queue_record.h"
#include "broker_adapters/embedded/stored_limits.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kMostChannels = 100'000;
constexpr size_t kMostPlaces = 100'000;
constexpr size_t kMostUncommitted = size_t{256} * 1024 * 1024;
constexpr size_t kMostClientId = 1'024;

absl::Status Stopping() {
  return MakeFault(Fault::kShuttingDown, "the message broker is shutting down: publish elsewhere or later");
}

class Subscribed final : public StoredSubscription {
 public:
  explicit Subscribed(std::shared_ptr<StoredMember> member) : member_(std::move(member)) {}
  ~Subscribed() override { Leave(); }

  void Acknowledge(uint64_t sequence) override {
    if (member_->topics != nullptr) member_->topics->Acknowledge(*member_, sequence);
  }

  Awaitable<void> Drain() override {
    const auto member = member_;
    member->draining = true;
    while (member->topics != nullptr && !member->given.empty() && !co_await Cancelled())
      (void)co_await member->acknowledged.async_wait(kUseTuple);
    if (member->topics != nullptr) member->topics->Leave(member);
  }

 private:
  void Leave() {
    if (member_->topics != nullptr) member_->topics->Leave(member_);
  }

  const std::shared_ptr<StoredMember> member_;
};

}  // namespace

absl::StatusOr<StoredTopics::Disk> StoredTopics::OpenDisk(const StoredOptions& options) {
  Disk disk;
  ASSIGN_OR_RETURN(disk.database, OpenSqlite(options.folder / "events.sqlite", options.vfs));
  ASSIGN_OR_RETURN(disk.file, StoredFile::Open(*disk.database));
  return disk;
}

StoredTopics::StoredTopics(Executor executor, StoredOptions options, Disk disk)
    : executor_(executor),
      options_(std::move(options)),
      commits_(executor, std::move(disk.database), [this] { file_->RolledBack(); }),
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
  channel.used_at = UnixNanos();
  return channel;
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
  kept.sent_at = UnixNanos();
  const auto record = std::make_shared<const std::string>(Encode(kept));
  const size_t bytes = record->size() + kStoredOverhead;
  CO_RETURN_IF_ERROR(CheckRoom(kept.message.channel, bytes));
  // Shared by the commit thread and the loop.
  const auto stored = std::make_shared<StoredEvent>();
  stored->message = std::move(kept.message);
  CO_RETURN_IF_ERROR(co_await commits_.Commit(
      [file = file_.get(), stored, record] {
        const auto added = file->Add(stored->message.channel, *record, UnixNanos());
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

absl::StatusOr<StoredTopics::ReaderPtr> StoredTopics::ReaderOf(const StoredSubscribe& options) {
  RETURN_IF_ERROR(CheckChannel(options.channel));
  RETURN_IF_ERROR(CheckGroup(options.group));
  if (options.client_id.empty() || options.client_id.size() > kMostClientId)
    return MakeFault(Fault::kInvalidRequest,
                     "a subscription to stored events needs a client id of at most "
                     "1024 bytes, by which it is known again");
  RETURN_IF_ERROR(CheckRoom(options.channel, 0));
  StoredChannel& channel = ChannelOf(options.channel);
  if (channel.deleting)
    return MakeFault(Fault::kOverloaded, "the channel is being deleted: subscribe again later");
  const StoredOwner owner(options.group.empty() ? options.client_id : "", options.group);
  const auto known = channel.readers.find(owner);
  if (known != channel.readers.end()) {
    if (options.group.empty() && !known->second->members.empty())
      return MakeFault(Fault::kInvalidRequest,
                       "clientID already registered: its other subscription to this "
                       "channel must end first, or use another client id or a group");
    return known->second;
  }
  if (places_ >= kMostPlaces)
    return MakeFault(Fault::kOverloaded,
                     "there are too many subscriptions to stored events, live or not: "
                     "delete channels that are no longer used");
  auto reader = std::make_shared<StoredReader>(owner);
  reader->channel = options.channel;
  channel.readers.emplace(owner, reader);
  ++places_;
  return reader;
}

void StoredTopics::Join(const ReaderPtr& reader, const MemberPtr& member) {
  member->topics = this;
  member->reader = reader;
  reader->members.push_back(member);
  channels_[reader->channel].live.insert(reader.get());
}

Awaitable<absl::StatusOr<StoredSubscriptionPtr>> StoredTopics::Subscribe(StoredSubscribe options,
                                                                         StoredHandler handler) {
  if (stopping_) co_return Stopping();
  CO_ASSIGN_OR_RETURN(const ReaderPtr reader, ReaderOf(options));
  const auto member = std::make_shared<StoredMember>(options, std::move(handler), executor_);
  Join(reader, member);
  // From here on it leaves again when this coroutine fails or is cancelled.
  auto subscription = std::make_unique<Subscribed>(member);
  if (!reader->ready) {
    const auto place = std::make_shared<StoredPlace>();
    CO_RETURN_IF_ERROR(co_await commits_.Commit(
        [file = file_.get(), place, channel = reader->channel, owner = reader->place.owner,
         start = options.start] {
          *place = file->FindOrMake(channel, owner, start);
          return absl::OkStatus();
        },
        0,
        [reader, place](const absl::Status& status) {
          if (!status.ok() || std::exchange(reader->ready, true)) return;
          reader->place = *place;
          reader->loaded_to = place->position;
        }));
  }
  if (stopping_) co_return Stopping();
  member->active = true;
  Wake(reader);
  co_return std::move(subscription);
}

void StoredTopics::Leave(const MemberPtr& member) {
  member->topics = nullptr;
  member->acknowledged.cancel();
  const ReaderPtr reader = std::exchange(member->reader, nullptr);
  std::erase(reader->members, member);
  given_bytes_ -= member->given_bytes;
  reader->again.merge(member->given);
  member->given.clear();
  if (reader->members.empty()) {
    reader->Reset();
    StoredChannel& channel = channels_[reader->channel];
    channel.live.erase(reader.get());
    channel.used_at = UnixNanos();
    ForgetUnmade(reader);
  } else {
    Wake(reader);
  }
  WakeAll();
}

// A place that could not be made, or is not yet: the next subscription makes or finds it.
void StoredTopics::ForgetUnmade(const ReaderPtr& reader) {
  if (reader->ready) return;
  places_ -= channels_[reader->channel].readers.erase(reader->place.owner);
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
