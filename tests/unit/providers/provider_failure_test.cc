#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/unit/providers/configured.h"

namespace llm_router {
namespace {

using test::Configured;
using test::Resolved;

absl::Status Failure(const Provider& provider, int status, std::string body, HttpHeaders headers = {}) {
  HttpReply reply;
  reply.status = status;
  reply.headers = std::move(headers);
  reply.body = std::move(body);
  return provider.ClassifyFailure(reply);
}

std::string ErrorBody(std::string_view message) {
  return fmt::format(R"({{"error": {{"message": "{}", "type": "t", "code": "c"}}}})", message);
}

struct Case {
  int status;
  Fault fault;
  std::string_view sentence;
};

TEST_CASE("every status has its fault and its sentence") {
  const auto row = GENERATE(values<Case>({
      {204, Fault::kProviderBadReply,
       "answered with status 204, which is no reply: check its base_url; it says: why"},
      {302, Fault::kProviderBadReply,
       "answered with status 302, which is no reply: check its base_url; it says: why"},
      {400, Fault::kProviderRejected, "rejects the query as invalid (400): mend it; it says: why"},
      {401, Fault::kProviderAuth, "refuses its key: check OPENAI_API_KEY"},
      {402, Fault::kProviderAuth,
       "wants to be paid (402): check the account behind OPENAI_API_KEY; it says: why"},
      {403, Fault::kProviderAuth,
       "forbids this to its key (403): check what OPENAI_API_KEY may do; it says: why"},
      {404, Fault::kProviderRejected,
       "knows no such model (404): check the model and base_url; it says: why"},
      {408, Fault::kProviderTimeout, "gave up waiting (408): try again; it says: why"},
      {413, Fault::kProviderRejected, "finds the query too large (413): shorten it; it says: why"},
      {418, Fault::kProviderBadReply,
       "answered with status 418, which is no reply: check its base_url; it says: why"},
      {422, Fault::kProviderRejected, "rejects the query as invalid (422): mend it; it says: why"},
      {429, Fault::kProviderBusy,
       "asks for fewer queries (429): try again later, or check its limits; it says: why"},
      {500, Fault::kProviderFailed, "failed (500): try again; it says: why"},
      {502, Fault::kProviderFailed, "failed (502): try again; it says: why"},
      {503, Fault::kProviderBusy, "is overloaded (503): try again later; it says: why"},
      {504, Fault::kProviderTimeout, "gave up waiting (504): try again; it says: why"},
      {529, Fault::kProviderBusy, "is overloaded (529): try again later; it says: why"},
      {999, Fault::kProviderBadReply,
       "answered with status 999, which is no reply: check its base_url; it says: why"},
      {-1, Fault::kProviderBadReply,
       "answered with status -1, which is no reply: check its base_url; it says: why"},
  }));
  const Providers providers = Resolved({Configured("openai", "openai", "sk-1", "OPENAI_API_KEY")});
  const absl::Status failure = Failure(*providers.Find("openai"), row.status, ErrorBody("why"));
  CHECK(FaultOf(failure) == row.fault);
  CHECK(MessageOf(failure) == "provider openai " + std::string(row.sentence));
}

TEST_CASE("a body without a readable error is not quoted") {
  const Providers providers = Resolved({Configured("openai", "openai", "sk-1", "OPENAI_API_KEY")});
  const Provider& provider = *providers.Find("openai");
  for (const std::string body : {"", "<html>Bad gateway</html>", "{\"error\": {\"mess", "[]", "\xFF\xFE"}) {
    CHECK(MessageOf(Failure(provider, 502, body)) == "provider openai failed (502): try again");
  }
}

TEST_CASE("a key written into the configuration is named by its setting") {
  const Providers providers = Resolved({Configured("mine", "anthropic", "sk-1")});
  CHECK(MessageOf(Failure(*providers.Find("mine"), 401, "")) ==
        "provider mine refuses its key: check the setting providers.mine.key");
}

TEST_CASE("no failure shows the key, however the provider quotes it") {
  const std::string key = "sk-canary-0123456789";
  const Providers providers = Resolved({Configured("openai", "openai", key, "OPENAI_API_KEY")});
  for (int status = 200; status < 600; ++status) {
    const absl::Status failure =
        Failure(*providers.Find("openai"), status, ErrorBody(std::string(490, 'x') + key + key));
    CHECK(failure.ToString().find("canary") == std::string::npos);
  }
}

TEST_CASE("a reply that holds an error despite its status names the provider and not the key") {
  const std::string key = "sk-canary-" + std::string(100, 'k');
  const Providers providers = Resolved({Configured("openai", "openai", key)});
  const auto reply = providers.Find("openai")->ReadReply(ErrorBody("bad key " + key));
  CHECK(FaultOf(reply.status()) == Fault::kProviderBadReply);
  CHECK_THAT(std::string(MessageOf(reply.status())),
             Catch::StartsWith("provider openai: ") && Catch::Contains("bad key ***"));
  CHECK(reply.status().ToString().find("canary") == std::string::npos);
}

TEST_CASE("a reply that can be read is read as it came") {
  const Providers providers = Resolved({Configured("openai", "openai", "gpt")});
  const auto reply = providers.Find("openai")->ReadReply(
      R"({"id": "1", "model": "gpt-4o", "choices": [{"index": 0, "finish_reason": "stop",
          "message": {"role": "assistant", "content": "hello"}}]})");
  REQUIRE(reply.ok());
  CHECK(reply->model == "gpt-4o");
}

TEST_CASE("what a provider says is quoted on one line and not beyond 500 bytes") {
  const Providers providers = Resolved({Configured("openai", "openai", "sk-1", "OPENAI_API_KEY")});
  const absl::Status failure =
      Failure(*providers.Find("openai"), 400, ErrorBody("one\\ntwo " + std::string(100'000, 'x')));
  CHECK(MessageOf(failure).size() < 600);
  CHECK(MessageOf(failure).find('\n') == std::string_view::npos);
}

TEST_CASE("a busy provider's wait is kept") {
  const Providers providers = Resolved({Configured("openai", "openai", "sk-1")});
  const Provider& provider = *providers.Find("openai");
  CHECK(RetryAfterOf(Failure(provider, 429, "", {{"retry-after", "2"}})) == std::chrono::seconds(2));
  CHECK(RetryAfterOf(Failure(provider, 529, "")) == std::nullopt);
}

}  // namespace
}  // namespace llm_router
