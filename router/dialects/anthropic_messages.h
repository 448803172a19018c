// anthropic.messages, the wire format of Anthropic's Messages API
// (https://docs.anthropic.com/en/api/messages): the functions behind the codec. Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "router/dialects/chat.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_node.h"
#include "router/dialects/reply_stream.h"

namespace llm_router::anthropic_messages {

absl::StatusOr<Chat> ParseRequest(std::string_view body);
absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings);
absl::StatusOr<ChatReply> ParseReply(std::string_view body);
std::string RenderReply(const ChatReply& reply, Warnings& warnings);
std::unique_ptr<ReplyParser> NewParser();
std::unique_ptr<ReplyWriter> NewWriter(Warnings& warnings);
std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes);

// The parts of the above that have a file of their own.
absl::Status ParseMessages(const Node& request, Chat& chat);
void RenderMessages(const Chat& chat, Json& request, Warnings& warnings);
absl::Status ParseTools(const Node& request, Chat& chat);
void RenderTools(const Chat& chat, Json& request, Warnings& warnings);
absl::Status ParseReasoning(const Node& request, Chat& chat);
// The request has its max_tokens. Whether the model will think.
bool RenderReasoning(const Chat& chat, Json& request, Warnings& warnings);

// {"type": "tool_use", "id", "name", "input"}, the text block, and {"type": "thinking", "thinking",
// "signature"} or {"type": "redacted_thinking", "data"}, in requests and replies alike.
absl::Status ParseToolUse(const Node& block, std::vector<Part>& parts);
Json RenderToolUse(const ToolCallPart& call, Warnings& warnings);
Json RenderText(const TextPart& part);
// `block` with a mark for the cache.
Json WithMark(Json block, const CacheMark& mark);
absl::Status ParseThinking(const Node& block, std::vector<Part>& parts);
Json RenderThinking(const ThinkingPart& thought);
// The `input` of a tool_use: an object. What a model wrote that is none becomes the text "arguments" in one.
Json InputOf(const std::string& arguments, Warnings& warnings);
// Anthropic takes only letters, digits, `_` and `-` in the id of a tool call.
std::string ToolUseId(const std::string& id);

// What whole replies and streams share.
Finish FinishNamed(std::string_view reason);
std::string_view FinishName(Finish finish, Warnings& warnings);

}  // namespace llm_router::anthropic_messages
