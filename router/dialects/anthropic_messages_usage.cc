#include "router/dialects/anthropic_messages_usage.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/notes.h"
#include "router/dialects/provider_reply.h"

namespace llm_router::anthropic_messages {

absl::Status UsageReader::Read(const Node& holder) {
  const auto usage = holder.Find("usage");
  if (!usage) return absl::OkStatus();
  if (!usage->IsObject()) return usage->Wrong("must be an object");
  seen_ = true;
  RETURN_IF_ERROR(ReadCount(*usage, "input_tokens", fresh_));
  RETURN_IF_ERROR(ReadCount(*usage, "output_tokens", output_));
  RETURN_IF_ERROR(ReadCount(*usage, "cache_read_input_tokens", cache_read_));
  RETURN_IF_ERROR(ReadCount(*usage, "cache_creation_input_tokens", cache_write_));
  const auto details = usage->Find("output_tokens_details");
  return details ? ReadCount(*details, "thinking_tokens", thinking_) : absl::OkStatus();
}

// Anthropic counts the cached parts apart, ChatUsage in the whole.
std::optional<ChatUsage> UsageReader::usage() const {
  if (!seen_) return std::nullopt;
  ChatUsage usage;
  usage.input_tokens = fresh_.value_or(0);
  for (const auto& cached : {cache_read_, cache_write_}) {
    const int64_t room = std::numeric_limits<int64_t>::max() - usage.input_tokens;
    usage.input_tokens += std::min(cached.value_or(0), room);
  }
  usage.output_tokens = output_.value_or(0);
  usage.cache_read_tokens = cache_read_;
  usage.cache_write_tokens = cache_write_;
  usage.reasoning_tokens = thinking_;
  return usage;
}

absl::Status ParseUsage(const Node& reply, std::optional<ChatUsage>& out) {
  UsageReader reader;
  RETURN_IF_ERROR(reader.Read(reply));
  out = reader.usage();
  return absl::OkStatus();
}

Json RenderUsage(const std::optional<ChatUsage>& known, Warnings& warnings) {
  if (!known) AddNote(warnings, "usage unknown, sent as 0");
  const ChatUsage usage = known.value_or(ChatUsage());
  // The caches' counts may be as large as a stranger likes: subtracted one by one.
  int64_t fresh = std::max<int64_t>(usage.input_tokens - usage.cache_read_tokens.value_or(0), 0);
  fresh = std::max<int64_t>(fresh - usage.cache_write_tokens.value_or(0), 0);
  Json json = {{"input_tokens", fresh}, {"output_tokens", usage.output_tokens}};
  if (usage.cache_write_tokens) json["cache_creation_input_tokens"] = *usage.cache_write_tokens;
  if (usage.cache_read_tokens) json["cache_read_input_tokens"] = *usage.cache_read_tokens;
  if (usage.reasoning_tokens) json["output_tokens_details"] = {{"thinking_tokens", *usage.reasoning_tokens}};
  return json;
}

}  // namespace llm_router::anthropic_messages
