// Whole: the reply that the chunks of a stream make, as the provider would have sent it without a stream. One
// thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "router/dialects/json_body.h"

namespace llm_router::openai_chat {

class Whole {
 public:
  // `object` is what the whole calls itself.
  explicit Whole(std::string_view object);
  ~Whole();
  Whole(const Whole&) = delete;
  Whole& operator=(const Whole&) = delete;

  void Add(const Json& chunk);
  std::string Take();

 private:
  void AddChoice(const Json& choice);

  const std::string object_;
  std::unique_ptr<Json> json_;
};

}  // namespace llm_router::openai_chat
