// WireMessage: a message as NATS carries it. A value; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llm_router::nats {

// The server says that nobody is subscribed to what was asked.
inline constexpr int kNobodyThere = 503;
// It never left this process.
inline constexpr int kNotSent = -1;

struct WireMessage {
  WireMessage() = default;
  WireMessage(std::string its_subject, std::string its_body)
      : subject(std::move(its_subject)), body(std::move(its_body)) {}

  std::string subject;
  std::string reply;  // where an answer goes; empty: none is waited for
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  int status = 0;           // of the server's own messages; 0: one of a client
  std::string description;  // beside a status

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // Empty where there is none.
  std::string_view Header(std::string_view name) const {
    const std::string* const value = Find(name);
    return value ? std::string_view(*value) : std::string_view();
  }
  void Add(std::string_view name, std::string value) { headers.emplace_back(name, std::move(value)); }

  // What counts against the server's max_payload.
  size_t payload() const {
    constexpr size_t kFrame = 16, kPerHeader = 4;
    size_t bytes = body.size() + kFrame;
    for (const auto& [name, value] : headers) bytes += name.size() + value.size() + kPerHeader;
    return bytes;
  }
  size_t size() const { return payload() + subject.size() + reply.size(); }

 private:
  const std::string* Find(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

}  // namespace llm_router::nats
