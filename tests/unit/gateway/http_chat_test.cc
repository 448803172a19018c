// The calls that ask a model, whole: what the worker is asked, and what the client is told.
#include <fmt/format.h>

#include <future>

#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/tcp_client.h"
#include "tests/unit/gateway/http_rig.h"

namespace llm_router::test {
namespace {

namespace tag = contract::tag;
using Json = nlohmann::json;

// Of a query that a worker got, for the test's thread.
struct Seen {
  std::promise<Query> promise;
  Query Get() { return promise.get_future().get(); }
};

void AnswerSeen(HttpRig& rig, const std::string& route, Seen& seen, Reply reply) {
  rig.Answer(route, [&seen, reply](const Query& query) {
    seen.promise.set_value(query);
    return reply;
  });
}

}  // namespace

TEST_CASE("a chat request is a query of its route, and its reply comes back as it is") {
  HttpRig rig;
  Seen seen;
  const std::string reply = R"({"id": "x",  "unknown": [1]})";
  AnswerSeen(rig, "openai", seen,
             Executed(reply, {{"provider", "p"},
                              {"model", "gpt"},
                              {"attempts", "2"},
                              {"queue-ms", "7"},
                              {"warnings", "images dropped"}}));
  const std::string body = ChatBody("gpt", R"(,"unknown":{"a":1})");
  const HttpAnswer answer =
      rig.Post(kChat, body,
               "X-Request-Id: my request\r\nIdempotency-Key: once\r\ntraceparent: 00-a\r\n"
               "x-stainless-read-timeout: 30.5\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.body == reply);
  CHECK(answer.header("content-type") == "application/json");
  CHECK(answer.header("x-request-id") == "myrequest");
  CHECK(answer.header("openai-processing-ms") != "");
  CHECK(answer.header("x-llm-router-provider") == "p");
  CHECK(answer.header("x-llm-router-model") == "gpt");
  CHECK(answer.header("x-llm-router-attempts") == "2");
  CHECK(answer.header("x-llm-router-queue-ms") == "7");
  CHECK(answer.header("x-llm-router-warnings") == "images dropped");
  const Query query = seen.Get();
  CHECK(query.message.body == body);
  const Tags& tags = query.message.tags;
  CHECK(TagOr(tags, tag::kDialect) == "openai.chat");
  CHECK(TagOr(tags, tag::kContentType) == "application/json");
  CHECK(TagOr(tags, tag::kTenant) == "default");
  CHECK(TagOr(tags, tag::kRequestId) == "myrequest");
  CHECK(TagOr(tags, tag::kIdempotencyKey) == "once");
  CHECK(TagOr(tags, tag::kTraceparent) == "00-a");
  CHECK_FALSE(TagOr(tags, tag::kQuery).empty());
  CHECK(TagOr(tags, tag::kStreamTo).empty());
  const auto left = Remaining(query.deadline);
  CHECK(left > Milliseconds(0));
  CHECK(left <= Milliseconds(30'500));
}

TEST_CASE("each endpoint asks in its own dialect") {
  HttpRig rig;
  rig.Answer("openai", [](const Query& query) {
    return Executed(Json({{"dialect", TagOr(query.message.tags, tag::kDialect)}}).dump());
  });
  const auto dialect = [&](std::string_view path) {
    return rig.Post(path, ChatBody("openai")).json()["dialect"].get<std::string>();
  };
  CHECK(dialect(kChat) == "openai.chat");
  CHECK(dialect(kMessages) == "anthropic.messages");
  CHECK(dialect("/v1/messages/count_tokens") == "anthropic.count_tokens");
  CHECK(dialect("/v1/completions") == "openai.completions");
  CHECK(dialect("/v1/embeddings") == "openai.embeddings");
}

TEST_CASE("the model picks the route: its name, one of its models, or both") {
  HttpRig rig;
  rig.Beat("claude", {"sonnet", "gpt"});
  for (const char* route : {"openai", "claude"})
    rig.Answer(route, [route](const Query&) { return Executed(fmt::format(R"({{"route":"{}"}})", route)); });
  const auto route = [&](std::string_view model) {
    return rig.Post(kChat, ChatBody(model)).json().value("route", "");
  };
  CHECK(route("openai") == "openai");
  CHECK(route("sonnet") == "claude");
  CHECK(route("claude/gpt") == "claude");
  CHECK(route("s\\u006fnnet") == "claude");
  const HttpAnswer both = rig.Post(kChat, ChatBody("gpt"));
  CHECK(both.status == 404);
  CHECK_THAT(both.body, Catch::Contains("claude, openai"));
}

TEST_CASE("what is wrong with a request is said in the shape of its API") {
  HttpRig rig;
  const HttpAnswer openai = rig.Post(kChat, ChatBody("nothing"));
  CHECK(openai.status == 404);
  const Json error = openai.json()["error"];
  CHECK(error["type"] == "invalid_request_error");
  CHECK(error["code"] == "unknown_model");
  CHECK(error["param"].is_null());
  CHECK_THAT(error["message"].get<std::string>(), Catch::Contains("openai (gpt)"));
  const HttpAnswer anthropic = rig.Post(kMessages, ChatBody("nothing"), "x-request-id: r1\r\n");
  CHECK(anthropic.status == 404);
  CHECK(anthropic.json()["type"] == "error");
  CHECK(anthropic.json()["error"]["type"] == "not_found_error");
  CHECK(anthropic.json()["request_id"] == "r1");
  CHECK(anthropic.header("request-id") == "r1");
}

TEST_CASE("a body without a model, or that is no JSON object, is refused") {
  HttpRig rig;
  for (const char* body :
       {"", "[]", "{}", R"({"model":""})", R"({"model":null})", R"({"model":5})", R"({"model":)",
        R"({"messages":[{"model":"gpt"}]})", "model", R"({"model":"gpt)"}) {
    INFO(body);
    CHECK(rig.Post(kChat, body).status == 400);
  }
  CHECK_THAT(rig.Post(kChat, "{}").body, Catch::Contains("GET /v1/models"));
  CHECK_THAT(rig.Post(kChat, "{]").body, Catch::Contains("not valid JSON"));
}

TEST_CASE("a failed query has its fault's status, and says when to come again") {
  HttpRig rig;
  const absl::Status busy =
      MakeFault(Fault::kProviderBusy, "the provider is busy: ask again", Milliseconds(1'500));
  rig.Beat("held", {});
  rig.Answer("openai", [&](const Query&) -> absl::StatusOr<Reply> { return busy; });
  rig.Answer("held", [&](const Query&) -> absl::StatusOr<Reply> {
    Reply reply;
    reply.error = "the provider is busy: ask again";
    reply.message.body = contract::ErrorBody(contract::dialect::kAnthropicMessages, busy);
    return reply;
  });
  const HttpAnswer failed = rig.Post(kChat, ChatBody("openai"));
  CHECK(failed.status == RowOf(Fault::kProviderBusy).http);
  CHECK(failed.header("retry-after") == "2");
  CHECK(failed.header("retry-after-ms") == "1500");
  CHECK(failed.json()["error"]["code"] == "provider_busy");
  const HttpAnswer told = rig.Post(kMessages, ChatBody("held"));
  CHECK(told.status == failed.status);
  CHECK(told.json()["error"]["type"] == "overloaded_error");
  CHECK(told.json()["request_id"] == told.header("request-id"));
}

TEST_CASE("SDKs are told not to try again what cannot get better") {
  HttpRig rig;
  rig.Answer("openai", [](const Query&) -> absl::StatusOr<Reply> {
    return MakeFault(Fault::kProviderKeyMissing, "no key: set OPENAI_API_KEY");
  });
  CHECK(rig.Post(kChat, ChatBody("openai")).header("x-should-retry") == "false");
}

TEST_CASE("the time that the caller gives is the query's, and what is no time is refused") {
  HttpRig rig;
  rig.Serve("openai", [](Query query) -> Awaitable<absl::StatusOr<Reply>> {
    (void)co_await Sleep(query.deadline + std::chrono::seconds(1));
    co_return Executed("{}");
  });
  const HttpAnswer late = rig.Post(kChat, ChatBody("openai"), "x-llm-router-timeout-ms: 30\r\n");
  CHECK(late.status == 504);
  CHECK(late.json()["error"]["code"] == "timeout");
  for (const char* wrong : {"0", "-5", "soon", "99999999999"}) {
    CHECK(rig.Post(kChat, ChatBody("openai"), fmt::format("x-llm-router-timeout-ms: {}\r\n", wrong)).status ==
          400);
  }
}

TEST_CASE("a client that goes away takes its query with it, and the workers are told") {
  HttpRig rig;
  std::promise<contract::Cancel> told;
  SubscriptionPtr control;
  rig.loop().RunTask([&]() -> Awaitable<void> {
    auto heard = co_await rig.broker().Subscribe(
        std::string(contract::kControlChannel), "", [&](const Message& event) {
          if (TagOr(event.tags, tag::kTenant) != "default") return;
          told.set_value(std::get<contract::Cancel>(*contract::ParseControl(event.body)));
        });
    if (!heard.ok()) FAIL(heard.status().ToString());
    control = *std::move(heard);
  });
  std::promise<std::string> taken;
  std::promise<bool> cancelled;
  rig.Serve("openai", [&](Query query) -> Awaitable<absl::StatusOr<Reply>> {
    taken.set_value(std::string(TagOr(query.message.tags, tag::kQuery)));
    cancelled.set_value(!co_await Sleep(TimePoint::max()));
    co_return Executed("{}");
  });
  std::string query;
  {
    TcpClient client(rig.port());
    (void)client.Send(HttpRequestText("POST", kChat, "", ChatBody("gpt")));
    query = taken.get_future().get();
  }
  CHECK(cancelled.get_future().get());
  const contract::Cancel cancel = told.get_future().get();
  CHECK(cancel.query == query);
  CHECK(cancel.gone);
  CHECK(rig.Stats().cancelled == 1);
  rig.loop().RunTask([&]() -> Awaitable<void> {
    control.reset();
    co_return;
  });
}

TEST_CASE("what is not served is said, with what is") {
  HttpRig rig;
  const HttpAnswer path = rig.Post("/chat/completions", ChatBody("gpt"));
  CHECK(path.status == 404);
  CHECK_THAT(path.body, Catch::Contains("/v1"));
  const HttpAnswer method = rig.Send("PUT", kChat);
  CHECK(method.status == 405);
  CHECK(method.header("allow") == "POST");
  CHECK(rig.Send("POST", "/v1/jobs/x").header("allow") == "GET, DELETE");
}

TEST_CASE("a body over the limit is refused, with the setting's name") {
  HttpGatewayOptions options;
  options.max_body = 100;
  HttpRig rig(options);
  const HttpAnswer answer = rig.Post(kChat, ChatBody(std::string(200, 'x')));
  CHECK(answer.status == 413);
  CHECK_THAT(answer.body, Catch::Contains("limits.body"));
}

TEST_CASE("what is under way when the door stops is still answered") {
  HttpRig rig;
  std::promise<void> taken;
  auto gate = std::make_shared<Waker>(rig.loop().executor());
  rig.Serve("openai", [&, gate](Query) -> Awaitable<absl::StatusOr<Reply>> {
    taken.set_value();
    (void)co_await gate->Wait(TimePoint::max());
    co_return Executed(R"({"late":true})");
  });
  auto answer = std::async(std::launch::async, [&] { return rig.Post(kChat, ChatBody("gpt")); });
  taken.get_future().get();
  auto stopped = std::async(std::launch::async, [&] { rig.Stop(std::chrono::seconds(10)); });
  rig.loop().Post([gate] { gate->Wake(); });
  CHECK(answer.get().body == R"({"late":true})");
  stopped.get();
}

TEST_CASE("what outlasts the door's grace is told so as its API does, and cancelled") {
  HttpRig rig;
  std::promise<void> taken, cancelled;
  rig.Serve("openai", [&](Query) -> Awaitable<absl::StatusOr<Reply>> {
    taken.set_value();
    (void)co_await Sleep(TimePoint::max());
    cancelled.set_value();
    co_return Executed("late");
  });
  const std::string path(GENERATE(kChat, kMessages));
  auto answer = std::async(std::launch::async, [&] { return rig.Post(path, ChatBody("gpt")); });
  taken.get_future().get();
  rig.Stop(Milliseconds(0));
  const HttpAnswer told = answer.get();
  CHECK(told.status == 503);
  CHECK(told.json()["error"]["type"] == (path == kChat ? "server_error" : "overloaded_error"));
  CHECK_THAT(told.body, Catch::Contains("shutting down"));
  cancelled.get_future().get();
  CHECK(rig.Stats().failed == 1);
}

}  // namespace llm_router::test
