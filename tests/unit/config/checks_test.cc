#include "router/config/checks.h"

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("a base URL is scheme, host, port and path") {
  const auto url =
      GENERATE(as<std::string_view>{}, "http://h", "https://api.openai.com/v1", "http://127.0.0.1:8001/v1/",
               "http://[::1]:8001/v1", "https://h.example/a%20b/~c");
  CHECK(CheckBaseUrl(url).ok());
}

struct Refused {
  std::string_view url;
  std::string_view complaint;
};

TEST_CASE("anything else is no base URL, and says why") {
  const auto row = GENERATE(values<Refused>({
      {"api.openai.com/v1", "does not begin with http://"},
      {"ftp://h", "does not begin with http://"},
      {"file:///etc/passwd", "does not begin with http://"},
      {"http://", "has no valid host and port"},
      {"http:///v1", "has no valid host and port"},
      {"http://h:", "has no valid host and port"},
      {"http://h:0", "has no valid host and port"},
      {"http://h:65536", "has no valid host and port"},
      {"http://h:80x", "has no valid host and port"},
      {"http://h h", "has no valid host and port"},
      {"http://[::1", "has no valid host and port"},
      {"http://[h]", "has no valid host and port"},
      {"http://u:p@h", "holds a user name or password"},
      {"http://u@h/v1", "holds a user name or password"},
      {"http://h?x=1", "holds a query or a fragment"},
      {"http://h/v1#x", "holds a query or a fragment"},
      {"http://h/v1\r\nx: y", "has a path with characters no URL has"},
      {"http://h/v 1", "has a path with characters no URL has"},
  }));
  CHECK_THAT(std::string(MessageOf(CheckBaseUrl(row.url))), Catch::StartsWith(std::string(row.complaint)));
}

TEST_CASE("hosts are names and addresses, without ports") {
  CHECK(CheckHost("127.0.0.1").ok());
  CHECK(CheckHost("localhost").ok());
  CHECK(CheckHost("::1").ok());
  CHECK_FALSE(CheckHost("localhost:80").ok());
  CHECK_FALSE(CheckHost("a b").ok());
  CHECK_FALSE(CheckHost("").ok());
}

TEST_CASE("keys are fit for a header") {
  CHECK(CheckKey("sk-proj_1.2/3+4=").ok());
  CHECK_FALSE(CheckKey("sk\r\nx-evil: 1").ok());
  CHECK_FALSE(CheckKey("sk 1").ok());
  CHECK_FALSE(CheckKey("sk-\xC3\xA9").ok());
}

}  // namespace
}  // namespace llm_router
