// JsonDialect: what the dialects whose requests are JSON objects with a top-level `model` have in common.
// Stateless; any thread.
#pragma once

#include <string>
#include <string_view>

#include "router/dialects/dialect.h"
#include "router/dialects/json_body.h"

namespace llm_router {

class JsonDialect : public Dialect {
 public:
  absl::StatusOr<std::string> WithModel(std::string_view body, std::string_view model) const final;
  absl::StatusOr<std::string> ModelOf(std::string_view body) const final;
  ProviderError ParseError(std::string_view body) const final;

 protected:
  explicit JsonDialect(const BodyKind& request) : request_(request) {}

 private:
  const BodyKind& request_;  // how a caller's body is complained about
};

}  // namespace llm_router
