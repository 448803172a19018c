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
  absl::StatusOr<std::string> WithModel(std::string_view body, std::string_view model,
                                        bool stream) const final;
  absl::StatusOr<std::string> ModelOf(std::string_view body) const final;
  ProviderError ParseError(std::string_view body) const final;

 protected:
  // `stream_options`: whether a stream has its usage only when `stream_options.include_usage` asks for it.
  explicit JsonDialect(const BodyKind& request, bool stream_options = false)
      : request_(request), stream_options_(stream_options) {}

 private:
  std::string WithStream(std::string body, bool stream) const;

  const BodyKind& request_;  // how a caller's body is complained about
  const bool stream_options_;
};

}  // namespace llm_router
