#include "broker_adapters/embedded/backlog.h"

#include <algorithm>

namespace llm_router {
namespace {

// What a waiting message holds in memory, near enough to bound it.
size_t SizeOf(const Message& message) {
  size_t size = sizeof(Pending) + sizeof(Copy) + message.body.size() + message.metadata.size() +
                message.span.size() + message.channel.size();
  for (const auto& [key, value] : message.tags)
    size += sizeof(key) + sizeof(value) + key.size() + value.size();
  return size;
}

uint64_t ArrivalOf(const Copy& copy) { return copy.pending->sequence; }

}  // namespace

template <class Visit>
void Backlog::ForEachLane(const Pattern& pattern, std::string_view lane, Visit&& visit) const {
  const auto visit_channel = [&](const ChannelBacklog& channel) {
    if (const auto it = channel.lanes.find(lane); it != channel.lanes.end()) visit(*it->second);
  };
  if (pattern.is_exact()) {
    if (const auto it = channels_.find(pattern.text()); it != channels_.end()) visit_channel(*it->second);
    return;
  }
  for (const auto& [name, channel] : channels_) {
    if (pattern.Matches(name)) visit_channel(*channel);
  }
}

bool Backlog::Add(Copy& copy, std::string_view lane) {
  const Message& message = copy.pending->query.message;
  const size_t bytes = SizeOf(message);
  auto& channel = channels_[message.channel];
  if (!channel) channel = std::make_unique<ChannelBacklog>(message.channel);
  if (channel->waiting >= max_waiting_ || bytes_ + bytes > max_bytes_) {
    if (channel->waiting == 0) channels_.erase(message.channel);
    return false;
  }
  auto it = channel->lanes.find(lane);
  if (it == channel->lanes.end()) {
    it = channel->lanes.emplace(std::string(lane), std::make_unique<Lane>(*channel, lane)).first;
  }
  copy.lane = it->second.get();
  copy.bytes = bytes;
  copy.lane->copies.push_back(copy);
  ++channel->waiting;
  ++size_;
  bytes_ += bytes;
  return true;
}

void Backlog::Remove(Copy& copy) {
  Lane& lane = *std::exchange(copy.lane, nullptr);
  ChannelBacklog& channel = lane.channel;
  copy.of_holder.unlink();
  --size_;
  bytes_ -= copy.bytes;
  if (lane.copies.empty()) channel.lanes.erase(channel.lanes.find(lane.name));
  if (--channel.waiting == 0) channels_.erase(channels_.find(channel.name));
}

Copy* Backlog::Oldest(const Pattern& pattern, std::string_view lane) const {
  if (size_ == 0) return nullptr;
  Copy* oldest = nullptr;
  ForEachLane(pattern, lane, [&](Lane& matching) {
    Copy& first = matching.copies.front();
    if (oldest == nullptr || ArrivalOf(first) < ArrivalOf(*oldest)) oldest = &first;
  });
  return oldest;
}

std::vector<Copy*> Backlog::All(const Pattern& pattern, std::string_view lane) const {
  std::vector<Copy*> all;
  if (size_ == 0) return all;
  ForEachLane(pattern, lane, [&](Lane& matching) {
    for (Copy& copy : matching.copies) all.push_back(&copy);
  });
  std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return ArrivalOf(*a) < ArrivalOf(*b); });
  return all;
}

}  // namespace llm_router
