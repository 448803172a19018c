#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "router/dialects/image_url.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {
namespace {

constexpr size_t kMaxStops = 4;

template <class Value>
void Set(Json& request, const char* key, const std::optional<Value>& value) {
  if (value) request[key] = *value;
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

}  // namespace

absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) {
  WarnOfUnknown(chat.unknown, warnings);
  if (chat.top_k) AddNote(warnings, "top_k dropped");
  Json request = Json::object();
  if (!chat.model.empty()) request["model"] = chat.model;
  request["messages"] = RenderMessages(chat, warnings);
  if (request["messages"].empty())
    return MakeFault(Fault::kInvalidRequest, "messages: none of them holds what an OpenAI chat can carry");
  Set(request, "max_completion_tokens", chat.max_tokens);
  Set(request, "temperature", chat.temperature);
  Set(request, "top_p", chat.top_p);
  Set(request, "frequency_penalty", chat.frequency_penalty);
  Set(request, "presence_penalty", chat.presence_penalty);
  Set(request, "seed", chat.seed);
  Set(request, "n", chat.n);
  RenderStop(chat, request, warnings);
  RenderTools(chat, request, warnings);
  RenderFormat(chat, request);
  if (!chat.user.empty()) request["user"] = chat.user;
  if (chat.stream) {
    request["stream"] = true;
    request["stream_options"] = {{"include_usage", true}};  // we count, whether the caller wants to or not
  }
  return DumpJson(request);
}

}  // namespace llm_router::openai_chat
