#include "router/gateway/http_peek.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_members.h"
#include "router/dialects/json_walk.h"

namespace llm_router {
namespace {

constexpr BodyKind kBody{Fault::kInvalidRequest, "the body", "It must be a JSON object."};

// A string's text; nothing where it is none.
std::optional<std::string> TextOf(std::string_view value) {
  if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"')) return std::nullopt;
  if (value.find('\\') == std::string_view::npos) return std::string(value.substr(1, value.size() - 2));
  const Json text = Json::parse(value, nullptr, false);
  if (!text.is_string()) return std::nullopt;
  return text.get<std::string>();
}

absl::Status NoModel(std::string_view body) {
  RETURN_IF_ERROR(CheckBody(body, kBody));
  return MakeFault(Fault::kInvalidRequest,
                   "you must provide a model: a route's name, route/model, or a model that one route lists; "
                   "GET /v1/models names them");
}

}  // namespace

absl::StatusOr<PeekedBody> PeekBody(std::string_view body) {
  PeekedBody peeked;
  std::optional<std::string_view> model;
  if (const auto first = body.find_first_not_of(" \t\r\n"); first != body.npos && body[first] == '{') {
    JsonWalk walk(body);
    while (walk.NextMember()) {
      if (IsJsonString(walk.key(), "model")) model = walk.value();
      if (IsJsonString(walk.key(), "stream")) peeked.stream = walk.value() == "true";
    }
  }
  if (!model || *model == "null" || *model == "\"\"") return NoModel(body);
  auto text = TextOf(*model);
  if (!text) {
    RETURN_IF_ERROR(CheckBody(body, kBody));
    return MakeFault(Fault::kInvalidRequest, "model: must be a string");
  }
  peeked.model = *std::move(text);
  return peeked;
}

}  // namespace llm_router
