// Backlog: the copies of queries that wait for a receiver, by channel and lane, first in first out.
//
// A lane is a group's line on one channel; the lane kHeld is for queries nobody is subscribed to. Borrows the
// copies. Bounded per channel by count and altogether by bytes. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "broker_adapters/embedded/query_state.h"

namespace llm_router {

inline constexpr std::string_view kHeld;

struct ChannelBacklog;

struct Lane {
  Lane(ChannelBacklog& of_channel, std::string_view lane_name) : channel(of_channel), name(lane_name) {}

  ChannelBacklog& channel;
  std::string name;
  LinkedList<Copy, &Copy::of_holder> copies;
};

struct ChannelBacklog {
  explicit ChannelBacklog(std::string channel_name) : name(std::move(channel_name)) {}

  std::string name;
  size_t waiting = 0;
  absl::btree_map<std::string, std::unique_ptr<Lane>, std::less<>> lanes;
};

class Backlog {
 public:
  Backlog(size_t max_waiting, size_t max_bytes) : max_waiting_(max_waiting), max_bytes_(max_bytes) {}

  // Puts `copy` at the end of a lane. False when the channel or the whole is full.
  [[nodiscard]] bool Add(Copy& copy, std::string_view lane);
  // Takes it out of its lane.
  void Remove(Copy& copy);

  // The copy in `lane` that arrived first, over all channels that `pattern` matches; null when none waits.
  Copy* Oldest(const Pattern& pattern, std::string_view lane) const;
  // All of them, in order of arrival.
  std::vector<Copy*> All(const Pattern& pattern, std::string_view lane) const;

  size_t size() const { return size_; }

 private:
  template <class Visit>
  void ForEachLane(const Pattern& pattern, std::string_view lane, Visit&& visit) const;

  const size_t max_waiting_;
  const size_t max_bytes_;
  size_t size_ = 0;
  size_t bytes_ = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<ChannelBacklog>> channels_;
};

}  // namespace llm_router
