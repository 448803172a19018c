#include "router/simulate/openai_base.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/simulate/checks.h"

namespace llm_router::simulate {
namespace {

std::string ErrorType(int status) {
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

Json ErrorCode(int status) {
  switch (status) {
    case 401:
      return "invalid_api_key";
    case 404:
      return "model_not_found";
    case 429:
      return "rate_limit_exceeded";
    default:
      return nullptr;
  }
}

}  // namespace

Verdict OpenAiBase::CheckHead(const HttpRequest& request) const {
  if (request.method == "POST" && !IsJsonType(HeaderOr(request.headers, "content-type"))) {
    return Refusal(415, "Unsupported content type. Use 'application/json'.");
  }
  return std::nullopt;
}

std::string OpenAiBase::RenderModels() const {
  Json models = Json::array();
  for (const char* id : {"gpt-4o", "gpt-4o-mini", "gpt-4.1"}) {
    models.push_back({{"id", id}, {"object", "model"}, {"created", 1715367049}, {"owned_by", "simulated"}});
  }
  return Dump({{"object", "list"}, {"data", std::move(models)}});
}

std::string OpenAiBase::RenderError(const Refusal& refusal, const std::string&) const {
  const Json param = refusal.param.empty() ? Json() : Json(refusal.param);
  return Dump({{"error",
                {{"message", refusal.message},
                 {"type", ErrorType(refusal.status)},
                 {"param", param},
                 {"code", ErrorCode(refusal.status)}}}});
}

Verdict CheckOpenAiStream(const Json& body) {
  const Json& stream = At(body, "stream");
  const Json& options = At(body, "stream_options");
  if (!stream.is_null() && !stream.is_boolean())
    return Refusal(400, "Invalid type for 'stream': expected a boolean.", "stream");
  if (options.is_null()) return std::nullopt;
  if (stream != true) {
    return Refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                   "stream_options");
  }
  if (!options.is_object())
    return Refusal(400, "Invalid type for 'stream_options': expected an object.", "stream_options");
  for (const auto& [name, value] : options.items()) {
    const std::string where = "stream_options." + name;
    if (name != "include_usage" && name != "include_obfuscation")
      return Refusal(400, fmt::format("Unknown parameter: '{}'.", where), where);
    if (!value.is_boolean())
      return Refusal(400, fmt::format("Invalid type for '{}': expected a boolean.", where), where);
  }
  return std::nullopt;
}

void ReadOpenAiStream(const Json& body, Conversation& conversation) {
  conversation.stream = At(body, "stream") == true;
  conversation.stream_usage = At(At(body, "stream_options"), "include_usage") == true;
}

void ReadOpenAiStops(const Json& stop, Conversation& conversation) {
  if (stop.is_string()) conversation.stops.push_back(Text(stop));
  for (size_t i = 0; stop.is_array() && i < stop.size(); ++i) conversation.stops.push_back(Text(stop[i]));
}

int ReadOpenAiChoices(const Json& body) {
  const Json& n = At(body, "n");
  return n.is_number_unsigned() ? static_cast<int>(std::clamp<uint64_t>(n.get<uint64_t>(), 1, 128)) : 1;
}

std::string OpenAiFinishReason(const Answer& answer) {
  if (!answer.finish_word.empty()) return answer.finish_word;
  switch (answer.finish) {
    case Finish::kLength:
      return "length";
    case Finish::kToolCalls:
      return "tool_calls";
    default:
      return "stop";
  }
}

Json OpenAiUsage(const Conversation& conversation, const Answer& answer) {
  size_t input = answer.input_tokens;
  size_t output = answer.output_tokens;
  for (const Answer& other : answer.others) {
    input += other.input_tokens;
    output += other.output_tokens;
  }
  const auto choices = static_cast<size_t>(conversation.choices);
  output *= choices;
  return {{"prompt_tokens", input},
          {"completion_tokens", output},
          {"total_tokens", input + output},
          {"prompt_tokens_details", {{"cached_tokens", answer.cache_read}}},
          {"completion_tokens_details", {{"reasoning_tokens", answer.reasoning_tokens * choices}}}};
}

std::string OpenAiFrame(std::string_view json) { return fmt::format("data: {}\n\n", json); }

}  // namespace llm_router::simulate
