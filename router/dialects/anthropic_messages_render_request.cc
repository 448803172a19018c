#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

constexpr int64_t kDefaultMaxTokens = 4096;  // Anthropic requires a number

void WarnOfDropped(const Chat& chat, Warnings& warnings) {
  WarnOfUnknown(chat.unknown, warnings);
  if (chat.seed) AddNote(warnings, "seed dropped");
  if (chat.n.value_or(1) != 1) AddNote(warnings, "n dropped");
  if (chat.frequency_penalty.value_or(0) != 0) AddNote(warnings, "frequency_penalty dropped");
  if (chat.presence_penalty.value_or(0) != 0) AddNote(warnings, "presence_penalty dropped");
}

// A model that thinks takes no other temperature than 1, and no top_k.
void RenderSampling(const Chat& chat, bool thinks, Json& request, Warnings& warnings) {
  if (thinks && chat.temperature.value_or(1) != 1) AddNote(warnings, "temperature dropped for thinking");
  if (thinks && chat.top_k) AddNote(warnings, "top_k dropped for thinking");
  if (chat.temperature && (!thinks || *chat.temperature == 1)) {
    const double clamped = std::clamp(*chat.temperature, 0.0, 1.0);
    if (clamped != *chat.temperature)
      AddNote(warnings, fmt::format("temperature {} sent as {}", *chat.temperature, clamped));
    request["temperature"] = clamped;
  }
  if (chat.top_p) request["top_p"] = *chat.top_p;
  if (chat.top_k && !thinks) request["top_k"] = *chat.top_k;
}

// Anthropic refuses sequences of white space only.
void RenderStop(const Chat& chat, Json& request, Warnings& warnings) {
  Json stops = Json::array();
  for (const std::string& stop : chat.stop) {
    if (stop.find_first_not_of(" \t\r\n\v\f") != stop.npos) stops.push_back(stop);
  }
  if (stops.size() < chat.stop.size()) AddNote(warnings, "stop sequences of white space dropped");
  if (!stops.empty()) request["stop_sequences"] = std::move(stops);
}

void RenderFormat(const Chat& chat, Json& request, Warnings& warnings) {
  if (!chat.response_format) return;
  if (chat.response_format->schema.empty()) {
    AddNote(warnings, "response_format without a schema dropped");
    return;
  }
  request["output_config"]["format"] = {{"type", "json_schema"},
                                        {"schema", ObjectOrNull(chat.response_format->schema)}};
}

}  // namespace

absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) {
  WarnOfDropped(chat, warnings);
  Json request = Json::object();
  if (!chat.model.empty()) request["model"] = chat.model;
  request["max_tokens"] = chat.max_tokens.value_or(kDefaultMaxTokens);
  RenderMessages(chat, request, warnings);
  if (request["messages"].empty())
    return MakeFault(
        Fault::kInvalidRequest,
        "messages: there must be a user message that is not empty (of a kind Anthropic can take)");
  const bool thinks = RenderReasoning(chat, request, warnings);
  RenderSampling(chat, thinks, request, warnings);
  RenderStop(chat, request, warnings);
  RenderTools(chat, request, warnings);
  RenderFormat(chat, request, warnings);
  if (!chat.user.empty()) request["metadata"] = {{"user_id", chat.user}};
  if (chat.stream) request["stream"] = true;
  return DumpJson(request);
}

}  // namespace llm_router::anthropic_messages
