#include "tests/unit/gateway/rest_rig.h"

#include <fmt/format.h>

#include <stdexcept>

#include "tests/support/catch.h"

namespace llm_router::test {

RestRig::RestRig(KubemqServerOptions serving, KubemqRestOptions options, bool keeps)
    : doors_(std::move(serving), keeps) {
  options.port = 0;
  doors_.loop().RunTask([&]() -> Awaitable<void> {
    auto rest = KubemqRest::Start(doors_.server(), options);
    REQUIRE(rest.ok());
    rest_ = *std::move(rest);
    port_ = rest_->port();
    co_return;
  });
}

RestRig::~RestRig() {
  Stop(Milliseconds(0));
  doors_.loop().RunTask([this]() -> Awaitable<void> {
    rest_.reset();
    co_return;
  });
}

DoorStats RestRig::Stats() {
  DoorStats stats;
  doors_.loop().RunTask([&]() -> Awaitable<void> {
    stats = rest_->stats();
    co_return;
  });
  return stats;
}

void RestRig::Stop(Milliseconds grace) {
  doors_.loop().RunTask([this, grace]() -> Awaitable<void> {
    co_await doors_.server()->Stop(grace);
    co_await rest_->Stop();
  });
}

HttpAnswer RestRig::Get(std::string_view path, std::string_view headers) {
  return Exchange(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", path, headers));
}

HttpAnswer RestRig::Post(std::string_view path, std::string_view body, std::string_view type,
                         std::string_view headers) {
  return Exchange(
      fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
                  "{}\r\nContent-Length: {}\r\n{}\r\n{}",
                  path, type, body.size(), headers, body));
}

void RestRig::EndRevoked() {
  doors_.loop().RunTask([this]() -> Awaitable<void> {
    rest_->EndRevoked();
    co_return;
  });
}

// Tests call this on threads of their own too, where Catch can't assert.
HttpAnswer RestRig::Exchange(const std::string& request) {
  TcpClient client(port_);
  const bool sent = client.Send(request);
  const std::string text = sent ? client.ReadAll() : "";
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) throw std::runtime_error("no HTTP reply came: " + text);
  HttpAnswer answer;
  answer.head = text.substr(0, end);
  answer.body = text.substr(end + 4);
  answer.status = std::stoi(text.substr(9, 3));
  return answer;
}

}  // namespace llm_router::test
