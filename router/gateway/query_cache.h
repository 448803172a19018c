// QueryCache: KubeMQ's cache of replies by CacheKey, kept for CacheTTL seconds.
//
// Per tenant, channel and key; only executed replies to queries. At most 10,000 replies and 64 MiB, the
// longest unused forgotten first. Time is given, not asked. Owned by the door; loop thread only.
#pragma once

#include <list>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/broker.h"

namespace llm_router {

class QueryCache {
 public:
  QueryCache(size_t max_entries = 10'000, size_t max_bytes = 64 * 1024 * 1024)
      : max_entries_(max_entries), max_bytes_(max_bytes) {}

  static std::string Key(std::string_view tenant, std::string_view channel, std::string_view key);

  // Valid until the next call.
  const Reply* Find(const std::string& key, TimePoint now);
  void Keep(const std::string& key, const Reply& reply, TimePoint expires);

 private:
  struct Entry {
    std::string key;
    Reply reply;
    TimePoint expires;
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  void Forget(Entries::iterator entry);

  size_t max_entries_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  Entries entries_;  // the longest unused first
  absl::flat_hash_map<std::string, Entries::iterator> index_;
};

}  // namespace llm_router
