// One HTTP request over a connection of its own, and its answer; for tests. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace llm_router::test {

struct HttpAnswer {
  HttpAnswer() = default;

  int status = 0;
  std::string head;
  std::string body;  // without the framing of chunks
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  // The value of a header, whatever the case of its name; empty: there is none.
  std::string header(std::string_view name) const;
};

// `request` must ask for the connection's end. Throws when no reply comes.
HttpAnswer HttpExchange(int port, std::string_view request);
// `headers`: more lines, each with its CRLF.
std::string HttpRequestText(std::string_view method, std::string_view path, std::string_view headers,
                            std::string_view body);

}  // namespace llm_router::test
