#include "router/dialects/json_dialect.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_members.h"
#include "router/dialects/json_splice.h"
#include "router/dialects/json_walk.h"
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

std::string JsonDialect::WithModel(std::string_view body, std::string_view model, bool stream) const {
  return WithStream(WithTopLevelValue(body, "model", QuoteJson(model)), stream);
}

// What asks for nothing stays as it is. Options without a stream are refused by OpenAI.
std::string JsonDialect::WithStream(std::string body, bool stream) const {
  const auto asked = TopLevelValue(body, "stream");
  if (stream) {
    if (asked != "true") body = WithTopLevelValue(body, "stream", "true");
    return shape_.has_stream_options ? WithUsage(body) : body;
  }
  if (asked && *asked != "false" && *asked != "null") body = WithTopLevelValue(body, "stream", "false");
  if (shape_.has_stream_options && TopLevelValue(body, kOptions))
    body = WithTopLevelValue(body, kOptions, "null");
  return body;
}

// What is wrong with one is for ParseReply to say.
absl::StatusOr<ChatReply> JsonDialect::GlanceAtReply(std::string_view body) const {
  if (shape_.output.empty() || !CheckBody(body, kProviderReply).ok()) return ParseReply(body);
  std::string_view output, model = "null", usage = "null";
  JsonWalk walk(body);
  while (walk.NextMember()) {
    if (IsJsonString(walk.key(), shape_.output)) output = walk.value();
    if (IsJsonString(walk.key(), "model")) model = walk.value();
    if (IsJsonString(walk.key(), "usage")) usage = walk.value();
    if (IsJsonString(walk.key(), "error") && walk.value() != "null") return ParseReply(body);
  }
  if (!output.starts_with('[') || !JsonWalk(output).NextItem()) return ParseReply(body);
  ASSIGN_OR_RETURN(const Json json,
                   ParseBody(fmt::format(R"({{"model":{},"usage":{}}})", model, usage), kProviderReply));
  const Node facts(json, kProviderReply);
  ChatReply reply;
  RETURN_IF_ERROR(facts.Read("model", reply.model));
  RETURN_IF_ERROR(shape_.parse_usage(facts, reply.usage));
  return reply;
}

ProviderError JsonDialect::ParseError(std::string_view body) const { return ReadProviderError(body); }

}  // namespace llm_router
