#include "router/dialects/json_dialect.h"

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/json_splice.h"
#include "router/dialects/provider_reply.h"

namespace llm_router {
namespace {

constexpr std::string_view kOptions = "stream_options";

// The caller's own options, with usage.
std::string WithUsage(const std::string& body) {
  const auto options = TopLevelValue(body, kOptions);
  const bool are_there = options && options->starts_with('{');
  return WithTopLevelValue(body, kOptions,
                           WithTopLevelValue(are_there ? *options : "{}", "include_usage", "true"));
}

}  // namespace

absl::StatusOr<std::string> JsonDialect::WithModel(std::string_view body, std::string_view model,
                                                   bool stream) const {
  RETURN_IF_ERROR(CheckBody(body, request_));
  return WithStream(WithTopLevelValue(body, "model", DumpJson(model)), stream);
}

// What asks for nothing stays as it is. Options without a stream are refused by OpenAI.
std::string JsonDialect::WithStream(std::string body, bool stream) const {
  const auto asked = TopLevelValue(body, "stream");
  if (stream) {
    if (asked != "true") body = WithTopLevelValue(body, "stream", "true");
    return stream_options_ ? WithUsage(body) : body;
  }
  if (asked && *asked != "false" && *asked != "null") body = WithTopLevelValue(body, "stream", "false");
  if (stream_options_ && TopLevelValue(body, kOptions)) body = WithTopLevelValue(body, kOptions, "null");
  return body;
}

absl::StatusOr<std::string> JsonDialect::ModelOf(std::string_view body) const {
  RETURN_IF_ERROR(CheckBody(body, request_));
  const auto text = TopLevelValue(body, "model");
  if (!text || *text == "null") return std::string();
  const Json model = Json::parse(*text, nullptr, false);
  if (!model.is_string()) return MakeFault(Fault::kInvalidRequest, "model: must be a string");
  return model.get<std::string>();
}

ProviderError JsonDialect::ParseError(std::string_view body) const { return ReadProviderError(body); }

}  // namespace llm_router
