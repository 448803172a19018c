#include "proto/contract.h"

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router::contract {
namespace {

TEST_CASE("a route's channel leads back to the route") {
  CHECK(RequestsChannel("openai") == "openai_requests");
  CHECK(RouteOfRequestsChannel("openai_requests") == "openai");
  CHECK_FALSE(RouteOfRequestsChannel("openai_jobs").has_value());
  CHECK_FALSE(RouteOfRequestsChannel("_requests").has_value());
}

TEST_CASE("route names are tokens with single dots, and not ours") {
  for (const char* good : {"openai", "a.b-c_d.1", "A"}) CHECK(CheckRouteName(good).ok());
  for (const char* bad :
       {"", ".", "a.", ".a", "a..b", "a b", "a*", ">", "a/b", "llm_jobs", "llmx", "stream.x", "é"}) {
    INFO(bad);
    CHECK(FaultOf(CheckRouteName(bad)) == Fault::kInvalidRequest);
  }
}

TEST_CASE("a body is text unless a tag says otherwise") {
  CHECK(ParseQueryTags({})->dialect == "text");
  CHECK(ParseQueryTags({{"content-type", "text/plain; charset=utf-8"}})->dialect == "text");
  CHECK(ParseQueryTags({{"content-type", "application/json; charset=utf-8"}})->dialect == "openai.chat");
  CHECK(ParseQueryTags({{"content-type", "application/json"}, {"dialect", "anthropic.messages"}})->dialect ==
        "anthropic.messages");
}

TEST_CASE("tag values are checked and the error names the tag and the remedy") {
  const auto message = [](Tags tags) { return std::string(MessageOf(ParseQueryTags(tags).status())); };
  CHECK(message({{"temperature", "hot"}}) == "tag temperature is \"hot\": it takes a number from 0 to 2");
  CHECK(message({{"temperature", "nan"}}) == "tag temperature is \"nan\": it takes a number from 0 to 2");
  CHECK(message({{"max-tokens", "0"}}) == "tag max-tokens is \"0\": it takes a whole number above 0");
  CHECK(message({{"deadline", "soon"}}) == "tag deadline is \"soon\": it takes Unix time in milliseconds");
  CHECK(message({{"accept", "image/png"}}) ==
        "tag accept is \"image/png\": it takes text/plain or application/json");
  CHECK(message({{"content-type", "image/png"}}) ==
        "tag content-type is \"image/png\": it takes text/plain or application/json");
}

TEST_CASE("a text reply comes back as it was written, and bare text is the answer itself") {
  TextReply reply;
  reply.response = "4";
  reply.model = "m";
  reply.provider = "p";
  reply.usage = Usage{3, 1};
  const auto read = ParseTextReply("application/json", ToJson(reply));
  REQUIRE(read.ok());
  CHECK(read->response == "4");
  CHECK(read->usage->input_tokens == 3);
  CHECK(ParseTextReply("", "plain words")->response == "plain words");
  CHECK_FALSE(ParseTextReply("application/json", "[1]").ok());
}

TEST_CASE("a failure crosses the wire with its fault, its sentence and its wait, in either shape") {
  const auto failure = MakeFault(Fault::kProviderBusy, "come back later", std::chrono::seconds(2));
  for (const auto shape : {dialect::kText, dialect::kAnthropicMessages}) {
    const auto read = ParseError("unread", ErrorBody(shape, failure));
    CHECK(FaultOf(read) == Fault::kProviderBusy);
    CHECK(read.message() == "come back later");
    CHECK(RetryAfterOf(read) == std::chrono::milliseconds(2000));
  }
  CHECK(ParseError("a stranger's sentence", "").message() == "a stranger's sentence");
}

TEST_CASE("an error body is valid JSON whatever bytes a provider said") {
  const auto body = nlohmann::json::parse(ErrorBody(dialect::kText, MakeFault(Fault::kInternal, "\xff\"")));
  CHECK(body["error"]["code"] == "internal");
}

TEST_CASE("a model means a route by name, by prefix, or by being listed once") {
  std::vector<RouteModels> routes(2);
  routes[0].route = "openai";
  routes[0].models = {"gpt", "shared"};
  routes[1].route = "claude";
  routes[1].models = {"sonnet", "shared"};
  CHECK(ResolveModel("claude", routes)->route == "claude");
  CHECK_FALSE(ResolveModel("claude", routes)->model.has_value());
  CHECK(ResolveModel("openai/shared", routes)->model == "shared");
  CHECK(ResolveModel("sonnet", routes)->route == "claude");
  CHECK(ResolveModel("shared", routes).status().message() ==
        "model \"shared\" is listed by the routes openai, claude: name one, as in openai/shared");
  CHECK(ResolveModel("nope", routes).status().message() ==
        "no route has the model \"nope\"; there are: openai (gpt, shared), claude (sonnet, shared)");
}

TEST_CASE("heartbeats and cancels come back as they were written") {
  Heartbeat beat;
  beat.worker = "w1";
  beat.leaving = true;
  beat.jobs = true;
  auto& route = beat.routes.emplace_back();
  route.route = "openai";
  route.models = {"gpt"};
  route.in_flight = 3;
  route.capacity = 256;
  route.job_capacity = 231;
  const auto read = ParseHeartbeat(ToJson(beat));
  REQUIRE(read.ok());
  CHECK(read->worker == "w1");
  CHECK(read->leaving);
  CHECK(read->jobs);
  CHECK(read->routes.at(0).models == std::vector<std::string>{"gpt"});
  CHECK(read->routes.at(0).capacity == 256);
  CHECK(read->routes.at(0).job_capacity == 231);

  CHECK_FALSE(ParseHeartbeat("not json").ok());
}

}  // namespace
}  // namespace llm_router::contract
