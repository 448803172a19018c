// The head of an HTTP/1.1 reply as text. Pure but for the date, which is read once a second; loop thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "router/net/http_headers.h"

namespace llm_router {

enum class HttpFraming { kLength, kChunked, kUntilClose };
enum class HttpConnection { kDefault, kKeepAlive, kClose };

// The words for a status: "Not Found".
std::string_view ReasonOf(int status);

// Status line, headers and the blank line. `length` is written as content-length when it is given. Headers
// with a line break in them are left out.
std::string ReplyHead(int status, const HttpHeaders& headers, HttpFraming framing,
                      std::optional<size_t> length, HttpConnection connection);

}  // namespace llm_router
