#include "client/cli/answer_json.h"

#include <nlohmann/json.hpp>
#include <string>

namespace llm_router::cli {

using Json = nlohmann::ordered_json;

Json ToJson(const client::Answer& answer) {
  Json json = {{"response", answer.text}, {"model", answer.model}, {"provider", answer.provider}};
  json["usage"] = Json::object();
  if (answer.input_tokens) json["usage"]["input_tokens"] = *answer.input_tokens;
  if (answer.output_tokens) json["usage"]["output_tokens"] = *answer.output_tokens;
  json["attempts"] = answer.attempts;
  json["warnings"] = answer.warnings;
  return json;
}

Json ToJson(const client::Error& error) {
  Json json = {{"message", error.message}, {"code", client::NameOf(error.code)}};
  if (error.retry_after) json["retry_after_ms"] = error.retry_after->count();
  return {{"error", std::move(json)}};
}

std::string OneLine(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace llm_router::cli
