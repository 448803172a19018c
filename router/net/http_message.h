// A request that a server of ours received, and the reply it gives. Plain values.
#pragma once

#include <string>

#include "router/net/http_headers.h"

namespace llm_router {

struct HttpRequest {
  HttpRequest() = default;

  std::string method;  // "GET"
  std::string path;    // up to '?', as sent
  std::string query;   // after it
  HttpHeaders headers;
  std::string body;
  std::string remote;  // "127.0.0.1:51234"
};

struct HttpResponse {
  HttpResponse() = default;
  HttpResponse(int code, HttpHeaders fields, std::string content)
      : status(code), headers(std::move(fields)), body(std::move(content)) {}

  int status = 200;
  HttpHeaders headers;  // without content-length, date and connection, which the server writes
  std::string body;
};

}  // namespace llm_router
