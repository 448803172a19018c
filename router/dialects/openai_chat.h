// openai.chat, the wire format of OpenAI's chat completions
// (https://platform.openai.com/docs/api-reference/chat): the functions behind the codec. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "router/dialects/chat.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_node.h"

namespace llm_router::openai_chat {

inline constexpr BodyKind kRequest{Fault::kInvalidRequest, "the body",
                                   "It must be an OpenAI chat completion request, a JSON object."};

absl::StatusOr<Chat> ParseRequest(std::string_view body);
absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings);
absl::StatusOr<ChatReply> ParseReply(std::string_view body);
std::string RenderReply(const ChatReply& reply, Warnings& warnings);

// The parts of the above that have a file of their own.
absl::Status ParseMessages(const Node& request, Chat& chat);
Json RenderMessages(const Chat& chat, Warnings& warnings);
absl::Status ParseTools(const Node& request, Chat& chat);
void RenderTools(const Chat& chat, Json& request, Warnings& warnings);
// {"id", "type": "function", "function": {"name", "arguments"}}; of another type: a note in `unknown`. The id
// may be missing, as some servers leave it out.
absl::Status ParseToolCall(const Node& call, std::vector<Part>& parts, std::vector<std::string>& unknown);
Json RenderToolCall(const ToolCallPart& call);

}  // namespace llm_router::openai_chat
