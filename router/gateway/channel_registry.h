// ChannelRegistry: the channels the door has seen, was told to create, or has subscribers on, with what went
// through them: what KubeMQ's `list-channels` shows.
//
// At most 10,000 channels; beyond that the one longest unused is forgotten. Owned by the door; loop thread
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace llm_router {

enum class ChannelType { kEvents, kEventsStore, kCommands, kQueries, kQueues };

// As KubeMQ names them in the tag channel_type.
std::optional<ChannelType> ChannelTypeNamed(std::string_view name);

class ChannelRegistry {
 public:
  static constexpr size_t kMaxChannels = 10'000;

  void Create(ChannelType type, std::string_view channel);
  void Delete(ChannelType type, std::string_view channel);

  void Sent(ChannelType type, std::string_view channel, size_t bytes);
  void Delivered(ChannelType type, std::string_view channel, size_t bytes);
  void Answered(ChannelType type, std::string_view channel);

  // What an engine holds of a channel, from before this process too: its figures are at least these.
  void Kept(ChannelType type, std::string_view channel, uint64_t messages, uint64_t bytes,
            int64_t last_activity_ms);

  void Subscribed(ChannelType type, std::string_view pattern);
  void Unsubscribed(ChannelType type, std::string_view pattern);
  bool HasSubscriber(ChannelType type, std::string_view channel) const;

  // A JSON array of the channels of `type` whose names contain `search` and are visible (null: all are),
  // sorted by name.
  using Visible = std::function<bool(std::string_view)>;
  std::string List(ChannelType type, std::string_view search, const Visible& visible = nullptr) const;

 private:
  struct Traffic {
    int64_t messages = 0;
    int64_t volume = 0;  // bytes
    int64_t responses = 0;
  };
  struct Channel {
    ChannelType type;
    std::string name;
    int64_t last_activity = 0;  // Unix ms
    Traffic incoming, outgoing;
  };

  Channel& Touch(ChannelType type, std::string_view name);

  std::list<Channel> channels_;  // the longest unused first
  absl::flat_hash_map<std::string, std::list<Channel>::iterator> index_;
  std::map<ChannelType, std::map<std::string, int, std::less<>>> subscribers_;  // by pattern
};

}  // namespace llm_router
