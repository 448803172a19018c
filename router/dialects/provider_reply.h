// What the codecs share about a provider's bodies. Pure; any thread.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "router/dialects/dialect.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_node.h"

namespace llm_router {

// Reads {"error": {"type", "code", "message"}} of OpenAI, {"type": "error", "error": {...}} of Anthropic, and
// what servers that imitate them write: {"error": "..."}, {"message": "..."}, {"detail": "..."}.
ProviderError ReadProviderError(std::string_view body);

// A reply's body as JSON. What is no JSON (a proxy's HTML page), is cut off, or holds an error despite its
// status is refused: fault provider_bad_reply.
absl::StatusOr<Json> ParseProviderReply(std::string_view body);

// How a node of such a reply complains.
extern const BodyKind kProviderReply;

// Counts of tokens are never negative.
absl::Status ReadCount(const Node& usage, std::string_view key, std::optional<int64_t>& out);

}  // namespace llm_router
