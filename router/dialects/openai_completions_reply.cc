#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "router/dialects/finish.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"
#include "router/dialects/openai_completions.h"
#include "router/dialects/provider_reply.h"
#include "router/dialects/text.h"

namespace llm_router::openai_completions {

absl::StatusOr<ChatReply> ParseReply(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseProviderReply(body));
  const Node root(json, kProviderReply);
  ChatReply reply;
  RETURN_IF_ERROR(root.Read("id", reply.id));
  RETURN_IF_ERROR(root.Read("model", reply.model));
  if (const auto created = root.Find("created"); created && created->json().is_number_integer())
    reply.created = created->json().get<int64_t>();
  const auto choices = root.Find("choices");
  if (!choices || !choices->IsArray() || choices->json().empty())
    return root.Wrong("choices", "must be a list of at least one choice");
  if (choices->json().size() > 1) AddNote(reply.unknown, "choices after the first");
  const Node choice = choices->Item(0);
  if (!choice.IsObject()) return choice.Wrong("must be an object");
  std::string text, reason;
  RETURN_IF_ERROR(choice.Read("text", text));
  if (!text.empty()) reply.parts.emplace_back(TextPart{std::move(text)});
  RETURN_IF_ERROR(choice.Read("finish_reason", reason));
  reply.finish = openai_chat::FinishNamed(reason);
  if (choice.Find("logprobs")) AddNote(reply.unknown, "logprobs");
  RETURN_IF_ERROR(openai_chat::ParseUsage(root, reply.usage));
  return reply;
}

// A refusal's words are the text here, as there is nothing else.
std::string RenderReply(const ChatReply& reply, Warnings& warnings) {
  WarnOfUnknown(reply.unknown, warnings);
  Json choice = {{"index", 0}, {"text", text::TextOf(reply.parts, warnings)}, {"logprobs", nullptr}};
  const Finish finish = reply.finish == Finish::kToolCalls ? Finish::kStop : reply.finish;
  choice["finish_reason"] = openai_chat::FinishName(finish, HasPart<RefusalPart>(reply), warnings);
  Json json = {{"id", reply.id.empty() ? fmt::format("cmpl-{}", NewId()) : reply.id},
               {"object", "text_completion"},
               {"created", reply.created > 0 ? reply.created : UnixMillis() / 1000},
               {"model", reply.model}};
  json["choices"] = Json::array({std::move(choice)});
  if (reply.usage) json["usage"] = openai_chat::RenderUsage(*reply.usage, warnings);
  return DumpJson(json);
}

}  // namespace llm_router::openai_completions
