#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "router/dialects/image_url.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {
namespace {

constexpr size_t kMaxStops = 4;

template <class Value>
void Set(Json& request, std::string_view key, const std::optional<Value>& value) {
  if (value) request[std::string(key)] = *value;
}

void RenderStop(const Chat& chat, Json& request, Warnings& warnings) {
  if (chat.stop.empty()) return;
  Json stops = Json::array();
  for (const std::string& stop : chat.stop) {
    if (stops.size() < kMaxStops) stops.push_back(stop);
  }
  request["stop"] = std::move(stops);
  if (chat.stop.size() > kMaxStops)
    AddNote(warnings, fmt::format("stop sequences after the first {} dropped", kMaxStops));
}

// A schema needs a name here; what has none gets one.
void RenderFormat(const Chat& chat, Json& request) {
  if (!chat.response_format) return;
  const ResponseFormat& format = *chat.response_format;
  if (format.name.empty() && format.schema.empty()) {
    request["response_format"] = {{"type", "json_object"}};
    return;
  }
  Json schema = {{"name", format.name.empty() ? "response" : format.name}};
  if (!format.schema.empty()) schema["schema"] = ObjectOrNull(format.schema);
  if (format.strict) schema["strict"] = *format.strict;
  request["response_format"] = {{"type", "json_schema"}, {"json_schema", std::move(schema)}};
}

// Budgets in tokens become words. Anthropic's "disabled" is its default, while OpenAI's models that can't
// think refuse to be told not to.
void RenderReasoning(const Chat& chat, Json& request, Warnings& warnings) {
  if (!chat.reasoning) return;
  const Reasoning& reasoning = *chat.reasoning;
  if (reasoning.off) return AddNote(warnings, "thinking disabled dropped");
  if (reasoning.adaptive) AddNote(warnings, "thinking adaptive dropped");
  std::string effort = reasoning.effort;
  if (effort.empty() && reasoning.budget) {
    effort = *reasoning.budget < 4096 ? "low" : *reasoning.budget < 16384 ? "medium" : "high";
    AddNote(warnings, fmt::format("thinking budget of {} tokens sent as reasoning_effort {}",
                                  *reasoning.budget, effort));
  } else if (reasoning.budget) {
    AddNote(warnings, "thinking budget dropped");
  }
  if (effort == "max") {
    effort = "high";
    AddNote(warnings, "effort max sent as reasoning_effort high");
  }
  if (!effort.empty()) request["reasoning_effort"] = effort;
}

}  // namespace

void RenderParameters(const Chat& chat, std::string_view limit, Json& request, Warnings& warnings) {
  WarnOfUnknown(chat.unknown, warnings);
  if (chat.top_k) AddNote(warnings, "top_k dropped");
  Set(request, limit, chat.max_tokens);
  Set(request, "temperature", chat.temperature);
  Set(request, "top_p", chat.top_p);
  Set(request, "frequency_penalty", chat.frequency_penalty);
  Set(request, "presence_penalty", chat.presence_penalty);
  Set(request, "seed", chat.seed);
  Set(request, "n", chat.n);
  RenderStop(chat, request, warnings);
  if (!chat.user.empty()) request["user"] = chat.user;
  if (!chat.stream) return;
  request["stream"] = true;
  request["stream_options"] = {{"include_usage", true}};  // we count, whether the caller wants to or not
}

absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) {
  Json request = Json::object();
  if (!chat.model.empty()) request["model"] = chat.model;
  request["messages"] = RenderMessages(chat, warnings);
  if (request["messages"].empty())
    return MakeFault(Fault::kInvalidRequest, "messages: none of them holds what an OpenAI chat can carry");
  RenderParameters(chat, "max_completion_tokens", request, warnings);
  RenderTools(chat, request, warnings);
  RenderFormat(chat, request);
  RenderReasoning(chat, request, warnings);
  return DumpJson(request);
}

}  // namespace llm_router::openai_chat
