#include "router/gateway/channel_registry.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "broker_adapters/base/clock.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;

struct TypeRow {
  ChannelType type;
  std::string_view name;
};
constexpr std::array kTypes = {
    TypeRow{ChannelType::kCommands, "commands"}, TypeRow{ChannelType::kEvents, "events"},
    TypeRow{ChannelType::kEventsStore, "events_store"}, TypeRow{ChannelType::kQueries, "queries"},
    TypeRow{ChannelType::kQueues, "queues"}};

std::string_view NameOf(ChannelType type) {
  return std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& row) { return row.type == type; })
      ->name;
}

std::string KeyOf(ChannelType type, std::string_view name) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(type)));
  return key.append(name);
}

// The first token of `text`, taken off it.
std::string_view TakeToken(std::string_view& text) {
  const std::string_view token = text.substr(0, text.find('.'));
  text.remove_prefix(std::min(text.size(), token.size() + 1));
  return token;
}

bool Matches(std::string_view pattern, std::string_view channel) {
  while (!pattern.empty() && !channel.empty()) {
    const std::string_view wanted = TakeToken(pattern);
    if (wanted == ">") return pattern.empty();
    if (const auto token = TakeToken(channel); wanted != "*" && wanted != token) return false;
  }
  return pattern.empty() && channel.empty();
}

// All six keys, always: SDKs take each of them for granted.
template <class Traffic>
Json ToJson(const Traffic& traffic) {
  return {{"messages", traffic.messages},
          {"volume", traffic.volume},
          {"waiting", 0},
          {"expired", 0},
          {"delayed", 0},
          {"responses", traffic.responses}};
}

}  // namespace

std::optional<ChannelType> ChannelTypeNamed(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

ChannelRegistry::Channel& ChannelRegistry::Touch(ChannelType type, std::string_view name) {
  std::string key = KeyOf(type, name);
  const auto known = index_.find(key);
  if (known != index_.end()) {
    channels_.splice(channels_.end(), channels_, known->second);
  } else {
    if (channels_.size() >= kMaxChannels) {
      index_.erase(KeyOf(channels_.front().type, channels_.front().name));
      channels_.pop_front();
    }
    channels_.push_back(Channel{type, std::string(name), 0, {}, {}});
    index_.emplace(std::move(key), std::prev(channels_.end()));
  }
  channels_.back().last_activity = UnixMillis();
  return channels_.back();
}

void ChannelRegistry::Create(ChannelType type, std::string_view channel) { Touch(type, channel); }

void ChannelRegistry::Delete(ChannelType type, std::string_view channel) {
  const auto known = index_.find(KeyOf(type, channel));
  if (known == index_.end()) return;
  channels_.erase(known->second);
  index_.erase(known);
}

void ChannelRegistry::Sent(ChannelType type, std::string_view channel, size_t bytes) {
  Traffic& incoming = Touch(type, channel).incoming;
  ++incoming.messages;
  incoming.volume += static_cast<int64_t>(bytes);
}

void ChannelRegistry::Delivered(ChannelType type, std::string_view channel, size_t bytes) {
  Traffic& outgoing = Touch(type, channel).outgoing;
  ++outgoing.messages;
  outgoing.volume += static_cast<int64_t>(bytes);
}

void ChannelRegistry::Answered(ChannelType type, std::string_view channel) {
  ++Touch(type, channel).outgoing.responses;
}

void ChannelRegistry::Kept(ChannelType type, std::string_view channel, uint64_t messages, uint64_t bytes,
                           int64_t last_activity_ms) {
  const bool is_known = index_.contains(KeyOf(type, channel));
  Channel& kept = is_known ? *index_.find(KeyOf(type, channel))->second : Touch(type, channel);
  if (!is_known) kept.last_activity = last_activity_ms;
  kept.incoming.messages = std::max(kept.incoming.messages, static_cast<int64_t>(messages));
  kept.incoming.volume = std::max(kept.incoming.volume, static_cast<int64_t>(bytes));
}

void ChannelRegistry::Subscribed(ChannelType type, std::string_view pattern) {
  ++subscribers_[type][std::string(pattern)];
  if (pattern.find_first_of("*>") == std::string_view::npos) Touch(type, pattern);
}

void ChannelRegistry::Unsubscribed(ChannelType type, std::string_view pattern) {
  auto& patterns = subscribers_[type];
  const auto found = patterns.find(pattern);
  if (found != patterns.end() && --found->second == 0) patterns.erase(found);
}

bool ChannelRegistry::HasSubscriber(ChannelType type, std::string_view channel) const {
  const auto patterns = subscribers_.find(type);
  if (patterns == subscribers_.end()) return false;
  if (patterns->second.contains(channel)) return true;
  return std::any_of(patterns->second.begin(), patterns->second.end(),
                     [&](const auto& row) { return Matches(row.first, channel); });
}

std::string ChannelRegistry::List(ChannelType type, std::string_view search, const Visible& visible) const {
  std::vector<const Channel*> found;
  for (const Channel& channel : channels_) {
    const bool matches = channel.type == type && channel.name.find(search) != std::string::npos;
    if (matches && (!visible || visible(channel.name))) found.push_back(&channel);
  }
  std::sort(found.begin(), found.end(), [](const Channel* a, const Channel* b) { return a->name < b->name; });
  Json list = Json::array();
  for (const Channel* channel : found) {
    list.push_back({{"name", channel->name},
                    {"type", NameOf(type)},
                    {"lastActivity", channel->last_activity},
                    {"isActive", HasSubscriber(type, channel->name)},
                    {"incoming", ToJson(channel->incoming)},
                    {"outgoing", ToJson(channel->outgoing)}});
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace llm_router
