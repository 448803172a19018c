// UsageReader: counts of tokens as Anthropic tells them, in one object or, in a stream, in several of which
// a later one counts. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "router/dialects/chat.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_node.h"

namespace llm_router::anthropic_messages {

class UsageReader {
 public:
  // The member `usage` of `holder`, which may be absent.
  absl::Status Read(const Node& holder);
  // Nothing when there was none.
  std::optional<ChatUsage> usage() const;

 private:
  bool seen_ = false;
  std::optional<int64_t> fresh_, output_, cache_read_, cache_write_, thinking_;
};

// That of a whole reply.
absl::Status ParseUsage(const Node& reply, std::optional<ChatUsage>& out);

// SDKs of Anthropic require a usage; without one all counts are 0, and it is named.
Json RenderUsage(const std::optional<ChatUsage>& known, Warnings& warnings);

}  // namespace llm_router::anthropic_messages
