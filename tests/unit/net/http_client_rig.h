// Calls of an HttpClient under test, and a server that answers them with one text.
#pragma once

#include <string>

#include "router/net/http_client.h"
#include "tests/unit/net/raw_server.h"

namespace llm_router::test {

inline HttpCall CallTo(std::string url, Milliseconds patience = kPatience) {
  HttpCall call;
  call.url = std::move(url);
  call.headers = {{"content-type", "application/json"}, {"authorization", "Bearer sk-secret"}};
  call.body = R"({"model":"m"})";
  call.deadline = Now() + patience;
  return call;
}

inline RawServer::Behaviour Answering(std::string text) {
  return [text](Socket& socket) -> Awaitable<void> {
    if ((co_await RawServer::ReadRequest(socket)).empty()) co_return;
    co_await RawServer::Write(socket, text);
  };
}

}  // namespace llm_router::test
