// Who may come in by the HTTP gateway, and web pages.
#include <fmt/format.h>

#include "proto/contract.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/access_matrix.h"
#include "tests/unit/gateway/http_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

std::string Bearer(std::string_view key) { return fmt::format("Authorization: Bearer {}\r\n", key); }

HttpGatewayOptions WithKeys(const std::vector<KeyConfig>& keys = MatrixKeys()) {
  HttpGatewayOptions options;
  options.access = std::make_shared<Access>(keys);
  return options;
}

HttpGatewayOptions WithPages(std::vector<std::string> origins) {
  HttpGatewayOptions options;
  options.cors = std::move(origins);
  return options;
}

}  // namespace

TEST_CASE("the HTTP gateway lets each access do what the rules grant, and nothing else") {
  HttpRig rig(WithKeys());
  rig.Answer("openai", [](const Query&) { return Executed("{}"); });
  constexpr Verb kVerbs[] = {Verb::kSendQuery};
  CheckMatrix(kVerbs, [&](const Attempt& attempt) {
    // A model can name a route, a job's path the jobs service, and nothing here any other channel.
    const auto route = contract::RouteOfRequestsChannel(attempt.channel);
    if (!route && attempt.channel != contract::kJobsChannel) return Outcome::kNotSayable;
    const HttpAnswer answer = route ? rig.Post(kChat, ChatBody(*route), Bearer(attempt.key))
                                    : rig.Get("/v1/jobs/unknown", Bearer(attempt.key));
    return answer.status == 401 || answer.status == 403 ? Outcome::kDenied : Outcome::kLetIn;
  });
}

TEST_CASE("every path of the HTTP gateway asks for a key, in the shape of its API") {
  HttpRig rig(WithKeys());
  for (const std::string& headers : {std::string(), Bearer("wrong"), std::string("x-api-key: wrong\r\n")}) {
    for (const std::string_view path : {kChat, std::string_view("/v1/embeddings")}) {
      const HttpAnswer answer = rig.Post(path, ChatBody("gpt"), headers);
      CHECK(answer.status == 401);
      CHECK(answer.json()["error"]["type"] == "authentication_error");
      CHECK(answer.header("www-authenticate") == "Bearer");
      CHECK_THAT(answer.body, !Catch::Contains("wrong"));
    }
    CHECK(rig.Post(kMessages, ChatBody("gpt"), headers).json()["type"] == "error");
    for (const char* path : {"/v1/models", "/v1/jobs/x", "/v1/jobs/x/events", "/nowhere"})
      CHECK(rig.Get(path, headers).status == 401);
  }
}

TEST_CASE("a key's queries, jobs and models are those of its tenant and routes") {
  auto keys = MatrixKeys();
  keys[0].routes = {"openai"};
  HttpRig rig(WithKeys(keys));
  rig.Beat("claude", {"sonnet"});
  rig.Answer("openai", [](const Query& query) {
    return Executed(Json({{"tenant", TagOr(query.message.tags, "tenant")}}).dump());
  });
  rig.Answer("claude", [](const Query&) { return Executed("{}"); });
  const std::string caller = Bearer(MatrixKey(AccessLevel::kCaller));
  CHECK(rig.Post(kChat, ChatBody("gpt"), caller).json()["tenant"] == "acme");
  for (const char* model : {"claude", "sonnet", "claude/sonnet"}) {
    const HttpAnswer denied = rig.Post(kChat, ChatBody(model), caller);
    CHECK(denied.status == 403);
    CHECK(denied.json()["error"]["code"] == "permission_denied");
  }
  CHECK(rig.Post(kChat, ChatBody("sonnet"), Bearer(MatrixKey(AccessLevel::kAdmin))).status == 200);
  CHECK(rig.Get("/v1/models", caller).json()["data"].size() == 3);
  CHECK(rig.Get("/v1/models/sonnet", caller).status == 404);
  CHECK(rig.Get("/v1/models/sonnet", Bearer(MatrixKey(AccessLevel::kAdmin))).status == 200);
}

TEST_CASE("pages of other origins are kept out, and no reply says that they may come in") {
  HttpRig rig;
  rig.Answer("openai", [](const Query&) { return Executed("{}"); });
  const HttpAnswer foreign = rig.Post(kChat, ChatBody("gpt"), "Origin: https://evil.example\r\n");
  CHECK(foreign.status == 403);
  CHECK_THAT(foreign.body, Catch::Contains("http.cors"));
  CHECK(foreign.header("access-control-allow-origin").empty());
  CHECK(rig.Post(kChat, ChatBody("gpt"), "Origin: http://x\r\n").status == 200);
  CHECK(rig.Send("OPTIONS", kChat, "Origin: https://evil.example\r\n").status >= 400);
}

TEST_CASE("pages of the origins in http.cors may call, and ask their browser's question without a key") {
  HttpGatewayOptions options = WithPages({"https://app.example"});
  options.access = WithKeys().access;
  HttpRig rig(options);
  rig.Answer("openai", [](const Query&) { return Executed("{}"); });
  const std::string page = "Origin: https://app.example\r\n";
  const HttpAnswer asked =
      rig.Send("OPTIONS", kChat, page + "Access-Control-Request-Headers: authorization, x-stainless-os\r\n");
  CHECK(asked.status == 204);
  CHECK(asked.header("access-control-allow-origin") == "https://app.example");
  CHECK(asked.header("access-control-allow-headers") == "authorization, x-stainless-os");
  CHECK_THAT(asked.header("access-control-allow-methods"), Catch::Contains("POST"));
  const HttpAnswer answer = rig.Post(kChat, ChatBody("gpt"), page + Bearer(MatrixKey(AccessLevel::kCaller)));
  CHECK(answer.status == 200);
  CHECK(answer.header("access-control-allow-origin") == "https://app.example");
  CHECK_THAT(answer.header("access-control-expose-headers"), Catch::Contains("x-request-id"));
  CHECK(rig.Post(kChat, ChatBody("gpt"), page).header("access-control-allow-origin") ==
        "https://app.example");
  const HttpAnswer other = rig.Send("OPTIONS", kChat, "Origin: https://evil.example\r\n");
  CHECK(other.header("access-control-allow-origin").empty());
}

}  // namespace llm_router::test
