// Whole: the reply that the events of a stream make, as the provider would have sent it without a stream. One
// thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "router/dialects/json_body.h"

namespace llm_router::anthropic_messages {

class Whole {
 public:
  Whole();
  ~Whole();
  Whole(const Whole&) = delete;
  Whole& operator=(const Whole&) = delete;

  // An event of this type.
  void Add(std::string_view type, const Json& event);
  std::string Take();

 private:
  void AddDelta(Json& block, const Json& delta);

  std::unique_ptr<Json> message_;
  std::unique_ptr<Json> blocks_;  // each with the `index` it has in the stream
};

}  // namespace llm_router::anthropic_messages
