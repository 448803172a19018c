#include "tests/support/http_exchange.h"

#include <fmt/format.h>

#include <stdexcept>

#include "router/net/http_headers.h"
#include "tests/support/tcp_client.h"

namespace llm_router::test {
namespace {

std::string WithoutChunks(std::string_view framed) {
  std::string body;
  while (true) {
    const auto line = framed.find("\r\n");
    if (line == framed.npos) return body;
    const size_t size = std::stoul(std::string(framed.substr(0, line)), nullptr, 16);
    if (size == 0) return body;
    body += framed.substr(line + 2, size);
    framed.remove_prefix(std::min(framed.size(), line + 2 + size + 2));
  }
}

}  // namespace

std::string HttpAnswer::header(std::string_view name) const {
  const std::string lines = LowerCase(head) + "\r\n";
  const std::string start = fmt::format("\r\n{}: ", name);
  const auto at = lines.find(start);
  if (at == lines.npos) return "";
  const auto begin = at + start.size();
  return head.substr(begin, lines.find("\r\n", begin) - begin);
}

HttpAnswer HttpExchange(int port, std::string_view request) {
  TcpClient client(port);
  const std::string text = client.Send(request) ? client.ReadAll() : "";
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) throw std::runtime_error("no HTTP reply came: " + text);
  HttpAnswer answer;
  answer.head = text.substr(0, end);
  answer.body = text.substr(end + 4);
  answer.status = std::stoi(text.substr(9, 3));
  if (LowerCase(answer.head).find("transfer-encoding: chunked") != std::string::npos)
    answer.body = WithoutChunks(answer.body);
  return answer;
}

std::string HttpRequestText(std::string_view method, std::string_view path, std::string_view headers,
                            std::string_view body) {
  const std::string length =
      body.empty() && method == "GET" ? "" : fmt::format("Content-Length: {}\r\n", body.size());
  return fmt::format("{} {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}{}\r\n{}", method, path, length,
                     headers, body);
}

}  // namespace llm_router::test
