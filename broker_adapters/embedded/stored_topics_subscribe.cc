// Who reads stored events: joining a place, and leaving it.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/limits.h"
#include "broker_adapters/embedded/stored_topics.h"
#include "broker_adapters/pattern.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kMostPlaces = 100'000;
constexpr size_t kMostClientId = 1'024;

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
    channel.used_at = options_.unix_nanos();
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

}  // namespace llm_router
