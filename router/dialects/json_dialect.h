// JsonDialect: what the dialects whose requests are JSON objects with a top-level `model` have in common.
// Stateless; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "router/dialects/dialect.h"
#include "router/dialects/json_node.h"

namespace llm_router {

class JsonDialect : public Dialect {
 public:
  std::string WithModel(std::string_view body, std::string_view model, bool stream) const final;
  absl::StatusOr<ChatReply> GlanceAtReply(std::string_view body) const final;
  ProviderError ParseError(std::string_view body) const final;

 protected:
  struct Shape {
    // For a glance at a reply: the list that it is about, and what reads its member `usage`, which may be
    // absent. Empty: a reply is always read whole.
    std::string_view output;
    absl::Status (*parse_usage)(const Node& reply, std::optional<ChatUsage>& usage) = nullptr;
    bool has_stream_options = false;  // a stream has its usage only when `stream_options.include_usage` asks
  };
  explicit JsonDialect(const Shape& shape) : shape_(shape) {}

 private:
  std::string WithStream(std::string body, bool stream) const;

  const Shape shape_;
};

}  // namespace llm_router
