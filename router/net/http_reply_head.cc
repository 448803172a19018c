#include "router/net/http_reply_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>

namespace llm_router {
namespace {

struct ReasonRow {
  int status;
  std::string_view reason;
};

constexpr std::array kReasons = {
    ReasonRow{200, "OK"},
    ReasonRow{201, "Created"},
    ReasonRow{202, "Accepted"},
    ReasonRow{204, "No Content"},
    ReasonRow{304, "Not Modified"},
    ReasonRow{400, "Bad Request"},
    ReasonRow{401, "Unauthorized"},
    ReasonRow{403, "Forbidden"},
    ReasonRow{404, "Not Found"},
    ReasonRow{405, "Method Not Allowed"},
    ReasonRow{408, "Request Timeout"},
    ReasonRow{409, "Conflict"},
    ReasonRow{413, "Payload Too Large"},
    ReasonRow{415, "Unsupported Media Type"},
    ReasonRow{422, "Unprocessable Entity"},
    ReasonRow{429, "Too Many Requests"},
    ReasonRow{431, "Request Header Fields Too Large"},
    ReasonRow{499, "Client Closed Request"},
    ReasonRow{500, "Internal Server Error"},
    ReasonRow{501, "Not Implemented"},
    ReasonRow{502, "Bad Gateway"},
    ReasonRow{503, "Service Unavailable"},
    ReasonRow{504, "Gateway Timeout"},
    ReasonRow{529, "Overloaded"},
};

// "Sun, 06 Nov 1994 08:49:37 GMT", made anew once a second.
std::string_view Date() {
  thread_local std::time_t made_at = 0;
  thread_local std::array<char, 40> text{};
  thread_local size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_at = now;
  }
  return {text.data(), size};
}

void AppendHeader(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view ReasonOf(int status) {
  const auto* row = std::find_if(kReasons.begin(), kReasons.end(),
                                 [status](const ReasonRow& candidate) { return candidate.status == status; });
  return row == kReasons.end() ? "Status" : row->reason;
}

std::string ReplyHead(int status, const HttpHeaders& headers, HttpFraming framing,
                      std::optional<size_t> length, HttpConnection connection) {
  std::string head;
  head.reserve(256);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", status, ReasonOf(status));
  for (const auto& [name, value] : headers) {
    if (IsHeaderText(name) && IsHeaderText(value)) AppendHeader(head, name, value);
  }
  AppendHeader(head, "date", Date());
  if (framing == HttpFraming::kChunked) AppendHeader(head, "transfer-encoding", "chunked");
  if (length.has_value()) AppendHeader(head, "content-length", std::to_string(*length));
  if (connection == HttpConnection::kKeepAlive) AppendHeader(head, "connection", "keep-alive");
  if (connection == HttpConnection::kClose) AppendHeader(head, "connection", "close");
  head.append("\r\n");
  return head;
}

}  // namespace llm_router
