#include "client/cli/conversation.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace llm_router::cli {

using Json = nlohmann::ordered_json;

void Conversation::Add(const char* role, std::string text) {
  bytes_ += text.size();
  messages_.push_back({role, std::move(text)});
  while (bytes_ > max_bytes_ && messages_.size() > 1) DropFirst();
  // A conversation that begins with an answer is refused by some providers.
  while (messages_.size() > 1 && messages_.front().role == std::string_view("assistant")) DropFirst();
}

void Conversation::DropFirst() {
  bytes_ -= messages_.front().text.size();
  messages_.pop_front();
}

void Conversation::DropLast() {
  if (messages_.empty()) return;
  bytes_ -= messages_.back().text.size();
  messages_.pop_back();
}

void Conversation::Clear() {
  messages_.clear();
  bytes_ = 0;
}

std::string Conversation::Body(const std::string& model, std::optional<double> temperature,
                               std::optional<int64_t> max_tokens) const {
  Json body = Json::object();
  if (!model.empty()) body["model"] = model;
  if (temperature) body["temperature"] = *temperature;
  if (max_tokens) body["max_tokens"] = *max_tokens;
  Json& messages = body["messages"] = Json::array();
  if (!system_.empty()) messages.push_back({{"role", "system"}, {"content", system_}});
  for (const Message& message : messages_) {
    messages.push_back({{"role", message.role}, {"content", message.text}});
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace llm_router::cli
