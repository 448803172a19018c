#include "tests/unit/gateway/rest_rig.h"

#include <fmt/format.h>

#include "tests/support/catch.h"

namespace llm_router::test {

RestRig::RestRig(KubemqServerOptions serving, KubemqRestOptions options, DoorRig::Keeps keeps)
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

// Tests call these on threads of their own too, where Catch can't assert.
HttpAnswer RestRig::Get(std::string_view path, std::string_view headers, std::string_view body) {
  return HttpExchange(port_, HttpRequestText("GET", path, headers, body));
}

HttpAnswer RestRig::Post(std::string_view path, std::string_view body, std::string_view type,
                         std::string_view headers) {
  const std::string all = fmt::format("Content-Type: {}\r\n{}", type, headers);
  return HttpExchange(port_, HttpRequestText("POST", path, all, body));
}

void RestRig::EndRevoked() {
  doors_.loop().RunTask([this]() -> Awaitable<void> {
    rest_->EndRevoked();
    co_return;
  });
}

}  // namespace llm_router::test
