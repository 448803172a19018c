// openai.completions, the wire format of OpenAI's completions of old
// (https://platform.openai.com/docs/api-reference/completions): the functions behind the codec. A prompt is
// one user message of a Chat. Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "router/dialects/chat.h"
#include "router/dialects/json_body.h"
#include "router/dialects/reply_stream.h"

namespace llm_router::openai_completions {

absl::StatusOr<Chat> ParseRequest(std::string_view body);
absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings);
absl::StatusOr<ChatReply> ParseReply(std::string_view body);
std::string RenderReply(const ChatReply& reply, Warnings& warnings);
std::unique_ptr<ReplyParser> NewParser();
std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes& wishes, Warnings& warnings);

}  // namespace llm_router::openai_completions
