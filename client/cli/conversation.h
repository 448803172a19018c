// Conversation: the messages of a chat, as an OpenAI request asks for them. Pure; one thread.
//
// Its bytes are bounded: the oldest turns are forgotten first, the system prompt and the newest message
// never.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace llm_router::cli {

class Conversation {
 public:
  Conversation(std::string system, size_t max_bytes) : system_(std::move(system)), max_bytes_(max_bytes) {}

  void AddUser(std::string text) { Add("user", std::move(text)); }
  void AddAssistant(std::string text) { Add("assistant", std::move(text)); }
  // Takes back the newest message: a question that failed.
  void DropLast();
  void Clear();

  size_t size() const { return messages_.size(); }

  // The request body; what is empty is left out of it.
  std::string Body(const std::string& model, std::optional<double> temperature,
                   std::optional<int64_t> max_tokens) const;

 private:
  struct Message {
    const char* role;
    std::string text;
  };
  void Add(const char* role, std::string text);
  void DropFirst();

  std::string system_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  std::deque<Message> messages_;
};

}  // namespace llm_router::cli
