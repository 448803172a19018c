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

// A frame's data as JSON. One that reports an error is that error: provider_busy, provider_failed, ...; what
// is no JSON object is provider_bad_reply.
absl::StatusOr<Json> ParseStreamFrame(std::string_view data);

// How a node of such a frame complains.
extern const BodyKind kStreamFrame;

// The failure that a provider reports in the middle of a reply, where no status code tells what it is.
[[nodiscard]] absl::Status StreamFailure(const ProviderError& error);

// More parts than any reply has; a stream with more is refused.
inline constexpr size_t kMaxStreamParts = 1024;
[[nodiscard]] absl::Status TooManyParts();

// Counts of tokens are never negative.
absl::Status ReadCount(const Node& usage, std::string_view key, std::optional<int64_t>& out);

}  // namespace llm_router
