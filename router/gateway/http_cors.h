// HttpCors: which web pages may call the HTTP gateway, and how their browsers are told. Without a list, none
// but those that came from the very same address. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/net/http_message.h"

namespace llm_router {

class HttpCors {
 public:
  // Origins as browsers send them: https://app.example.com; "*": any.
  explicit HttpCors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  bool is_on() const { return !origins_.empty(); }
  // Whether the request came from no web page, or from one that may call.
  bool Admits(const HttpHeaders& request) const;
  // Adds what lets a page read the reply to such a request.
  void AddTo(const HttpHeaders& request, HttpHeaders& reply) const;
  // The answer to the browser's question whether it may send one.
  HttpResponse Preflight(const HttpRequest& request) const;

 private:
  bool Lists(std::string_view origin) const;

  std::vector<std::string> origins_;
};

}  // namespace llm_router
