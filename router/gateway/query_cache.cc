#include "router/gateway/query_cache.h"

#include <utility>

namespace llm_router {
namespace {

size_t BytesOf(const std::string& key, const Reply& reply) {
  size_t bytes = 2 * key.size() + reply.message.body.size() + reply.message.metadata.size();
  for (const auto& [tag, value] : reply.message.tags) bytes += tag.size() + value.size();
  return bytes;
}

}  // namespace

std::string QueryCache::Key(std::string_view tenant, std::string_view channel, std::string_view key) {
  std::string whole(tenant);
  // Neither a tenant nor a channel holds a zero byte.
  whole.append(1, '\0').append(channel).append(1, '\0').append(key);
  return whole;
}

const Reply* QueryCache::Find(const std::string& key, TimePoint now) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  if (found->second->expires <= now) {
    Forget(found->second);
    return nullptr;
  }
  entries_.splice(entries_.end(), entries_, found->second);
  return &entries_.back().reply;
}

void QueryCache::Keep(const std::string& key, const Reply& reply, TimePoint expires) {
  if (const auto old = index_.find(key); old != index_.end()) Forget(old->second);
  const size_t bytes = BytesOf(key, reply);
  if (bytes > max_bytes_) return;
  while (!entries_.empty() && (entries_.size() >= max_entries_ || bytes_ + bytes > max_bytes_)) {
    Forget(entries_.begin());
  }
  entries_.push_back(Entry{key, reply, expires, bytes});
  index_[key] = std::prev(entries_.end());
  bytes_ += bytes;
}

void QueryCache::Forget(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  index_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace llm_router
