#include "router/dialects/json_dialect.h"

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/json_splice.h"
#include "router/dialects/provider_reply.h"

namespace llm_router {

absl::StatusOr<std::string> JsonDialect::WithModel(std::string_view body, std::string_view model) const {
  RETURN_IF_ERROR(CheckBody(body, request_));
  return WithTopLevelValue(body, "model", DumpJson(model));
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
