// openai.chat, the wire format of OpenAI's chat completions
// (https://platform.openai.com/docs/api-reference/chat): the functions behind the codec. Pure; any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "router/dialects/chat.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_node.h"
#include "router/dialects/reply_stream.h"

namespace llm_router::openai_chat {

absl::StatusOr<Chat> ParseRequest(std::string_view body);
absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings);
absl::StatusOr<ChatReply> ParseReply(std::string_view body);
std::string RenderReply(const ChatReply& reply, Warnings& warnings);
std::unique_ptr<ReplyParser> NewParser();
std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes& wishes, Warnings& warnings);
// `object` is what the whole reply calls itself.
std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes, std::string_view object);

// The parts of the above that have a file of their own.
absl::Status ParseMessages(const Node& request, Chat& chat);
// model, user, limits, sampling and stream, which completions have too.
absl::Status ParseParameters(const Node& request, Chat& chat);
void RenderParameters(const Chat& chat, std::string_view limit, Json& request, Warnings& warnings);
// What is not in `known`, which is sorted.
void NoteUnknown(const Node& request, std::span<const std::string_view> known, Chat& chat);
Json RenderMessages(const Chat& chat, Warnings& warnings);
absl::Status ParseTools(const Node& request, Chat& chat);
void RenderTools(const Chat& chat, Json& request, Warnings& warnings);
// {"id", "type": "function", "function": {"name", "arguments"}}; of another type: a note in `unknown`. The id
// may be missing, as some servers leave it out.
absl::Status ParseToolCall(const Node& call, std::vector<Part>& parts, std::vector<std::string>& unknown);
Json RenderToolCall(const ToolCallPart& call);

// What whole replies and streams share. `message` is a whole one, or the delta of a chunk.
Finish FinishNamed(std::string_view reason);
std::string_view FinishName(Finish finish, bool refuses_in_words, Warnings& warnings);
absl::Status ParseUsage(const Node& root, std::optional<ChatUsage>& out);
Json RenderUsage(const ChatUsage& usage, Warnings& warnings);
absl::Status ReadContent(const Node& message, std::vector<std::string>& unknown,
                         const std::function<void(std::string_view)>& each);
absl::Status ReadReasoning(const Node& message, std::string& text);
void NoteExtras(const Node& message, std::vector<std::string>& unknown);
// OpenAI's replies have no place for what proves a thought.
void WarnOfProof(const ThinkingPart& thought, Warnings& warnings);

}  // namespace llm_router::openai_chat
