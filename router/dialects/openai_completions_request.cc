#include <array>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/openai_completions.h"
#include "router/dialects/text.h"

namespace llm_router::openai_completions {
namespace {

constexpr BodyKind kRequest{Fault::kInvalidRequest, "the body",
                            "It must be an OpenAI completion request, a JSON object."};

// Fields with a place in Chat; `echo`, `suffix`, `best_of` and `logprobs` have none.
constexpr auto kKnown = std::to_array<std::string_view>(
    {"frequency_penalty", "max_tokens", "model", "n", "presence_penalty", "prompt", "seed", "stop", "stream",
     "stream_options", "temperature", "top_p", "user"});

// A chat has one conversation: of several prompts, or of one in tokens, none can be made.
absl::Status ParsePrompt(const Node& request, Chat& chat) {
  constexpr std::string_view kMust = "must be a string that is not empty, or a list of one";
  const auto prompt = request.Find("prompt");
  if (!prompt) return request.Wrong("prompt", kMust);
  const bool listed = prompt->IsArray() && prompt->json().size() == 1;
  const Node text = listed ? prompt->Item(0) : *prompt;
  if (!text.IsString() || text.AsString().empty()) return prompt->Wrong(kMust);
  chat.messages.emplace_back(Role::kUser, std::vector<Part>{TextPart{std::string(text.AsString())}});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Chat> ParseRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseBody(body, kRequest));
  const Node request(json, kRequest);
  Chat chat;
  RETURN_IF_ERROR(ParsePrompt(request, chat));
  RETURN_IF_ERROR(openai_chat::ParseParameters(request, chat));
  openai_chat::NoteUnknown(request, kKnown, chat);
  return chat;
}

absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) {
  Json request = Json::object();
  if (!chat.model.empty()) request["model"] = chat.model;
  request["prompt"] = text::PromptOf(chat, warnings);
  if (request["prompt"] == "")
    return MakeFault(Fault::kInvalidRequest,
                     "messages: none of them holds text, and a completion takes nothing else");
  openai_chat::RenderParameters(chat, "max_tokens", request, warnings);
  if (!chat.tools.empty()) AddNote(warnings, "tools dropped");
  if (chat.response_format) AddNote(warnings, "response_format dropped");
  if (chat.reasoning) AddNote(warnings, "reasoning_effort dropped");
  return DumpJson(request);
}

}  // namespace llm_router::openai_completions
