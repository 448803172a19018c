// Queries and commands at the KubeMQ door, as a KubeMQ SDK sees them.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "broker_adapters/base/ids.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

TEST_CASE("a query's reply is its responder's, and its tags are stamped afresh") {
  DoorRig rig;
  rig.Serve("openai_requests", Echo);
  kubemq::Request request = QueryOn("openai_requests");
  (*request.mutable_tags())["query"] = "a caller's own";
  (*request.mutable_tags())["tenant"] = "somebody else";
  (*request.mutable_tags())["x"] = "kept";
  kubemq::Response response;
  REQUIRE(Send(rig, request, response).ok());
  CHECK(response.executed());
  CHECK(response.error().empty());
  CHECK(response.requestid() == "request-1");
  CHECK(response.replychannel().empty());
  CHECK(response.body() == "hello");
  CHECK(response.timestamp() == 1'700'000'000'000'000'000);
  CHECK(response.tags().at("x") == "kept");
  CHECK(response.tags().at("tenant") == "default");
  CHECK(response.tags().at("query").size() == 22);
}

TEST_CASE("a query without an id gets one") {
  DoorRig rig;
  rig.Serve("any", Echo);
  kubemq::Request request = QueryOn("any");
  request.clear_requestid();
  kubemq::Response response;
  REQUIRE(Send(rig, request, response).ok());
  CHECK(response.requestid().size() == 22);
}

TEST_CASE("nobody subscribed: the caller waits its whole timeout and gets Error 301") {
  DoorRig rig;
  kubemq::Request request = QueryOn("nobody");
  request.set_timeout(200);
  kubemq::Response response;
  const TimePoint start = Now();
  const grpc::Status status = Send(rig, request, response);
  CHECK(Now() - start >= Milliseconds(199));
  CHECK(status.error_code() == grpc::StatusCode::INTERNAL);
  CHECK(status.error_message() == "Error 301: timeout for request message");
}

TEST_CASE("the largest timeout there is does no harm, and a deadline tag shortens it") {
  DoorRig rig;
  rig.Serve("any", Echo);
  kubemq::Request request = QueryOn("any");
  request.set_timeout(std::numeric_limits<int32_t>::max());
  kubemq::Response response;
  CHECK(Send(rig, request, response).ok());
  request.set_channel("nobody");
  (*request.mutable_tags())["deadline"] = std::to_string(UnixMillis() + 50);
  CHECK(Send(rig, request, response).error_message() == "Error 301: timeout for request message");
}

TEST_CASE("a failure is a reply with a sentence and an error body, in the caller's dialect") {
  DoorRig rig;
  rig.Serve("openai_requests", [](const Query&) -> absl::StatusOr<Reply> {
    return MakeFault(Fault::kProviderBusy, "the provider is busy", std::chrono::seconds(3));
  });
  kubemq::Request request = QueryOn("openai_requests");
  (*request.mutable_tags())["dialect"] = "anthropic.messages";
  (*request.mutable_tags())["request-id"] = "r1";
  kubemq::Response response;
  REQUIRE(Send(rig, request, response).ok());
  CHECK_FALSE(response.executed());
  CHECK(response.error() == "the provider is busy");
  CHECK(response.requestid() == "request-1");
  CHECK(response.tags().at("request-id") == "r1");
  const Json body = Json::parse(response.body());
  CHECK(body["type"] == "error");
  CHECK(body["error"]["type"] == "overloaded_error");
  CHECK(body["error"]["retry_after_ms"] == 3'000);
}

TEST_CASE("a body over the limit is refused in a reply that names the setting") {
  KubemqServerOptions options;
  options.max_body = 1'000;
  DoorRig rig(options);
  rig.Serve("any", [](const Query& query) -> absl::StatusOr<Reply> {
    Reply reply = *Echo(query);
    reply.message.body = std::string(query.message.body == "ask for much" ? 1'001 : 1'000, 'x');
    return reply;
  });
  kubemq::Response response;
  REQUIRE(Send(rig, QueryOn("any", std::string(1'001, 'x')), response).ok());
  CHECK_FALSE(response.executed());
  CHECK_THAT(response.error(), Catch::Contains("limits.body"));
  REQUIRE(Send(rig, QueryOn("any", "ask for much"), response).ok());
  CHECK_FALSE(response.executed());
  CHECK_THAT(response.error(), Catch::Contains("limits.body"));
  REQUIRE(Send(rig, QueryOn("any", std::string(1'000, 'x')), response).ok());
  CHECK(response.executed());
}

TEST_CASE("a command's reply comes without body and metadata") {
  DoorRig rig;
  const auto stream = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Commands, "c"));
  std::thread worker([&] {
    kubemq::Request got;
    if (!stream->reader->Read(&got)) return;
    kubemq::Response answer;
    answer.set_clientid("worker");
    answer.set_requestid(got.requestid());
    answer.set_replychannel(got.replychannel());
    answer.set_body("body");
    answer.set_metadata("metadata");
    answer.set_executed(true);
    (void)Send(rig, answer);
  });
  kubemq::Request request = QueryOn("c");
  request.set_requesttypedata(kubemq::Request::Command);
  kubemq::Response response;
  const grpc::Status status = Send(rig, request, response);
  worker.join();
  REQUIRE(status.ok());
  CHECK(response.executed());
  CHECK(response.clientid() == "worker");
  CHECK(response.body().empty());
  CHECK(response.metadata().empty());
}

TEST_CASE("a cached reply answers the next query of its key, under that query's own id") {
  DoorRig rig;
  int calls = 0;
  rig.Serve("openai_requests", [&](const Query& query) {
    ++calls;
    return Echo(query);
  });
  kubemq::Request request = QueryOn("openai_requests", "first");
  request.set_cachekey("key");
  request.set_cachettl(60);
  kubemq::Response first, second, other;
  REQUIRE(Send(rig, request, first).ok());
  CHECK_FALSE(first.cachehit());
  request.set_requestid("request-2");
  request.set_body("second");
  REQUIRE(Send(rig, request, second).ok());
  CHECK(second.cachehit());
  CHECK(second.executed());
  CHECK(second.requestid() == "request-2");
  CHECK(second.body() == "first");
  CHECK(second.tags().at("query") != first.tags().at("query"));
  request.set_cachekey("another");
  REQUIRE(Send(rig, request, other).ok());
  CHECK_FALSE(other.cachehit());
  CHECK(calls == 2);
}

TEST_CASE("failures and commands are never cached") {
  DoorRig rig;
  rig.Serve("q", [](const Query&) -> absl::StatusOr<Reply> {
    return MakeFault(Fault::kProviderFailed, "it broke");
  });
  kubemq::Request request = QueryOn("q");
  request.set_cachekey("key");
  request.set_cachettl(60);
  for (int i = 0; i < 2; ++i) {
    kubemq::Response response;
    REQUIRE(Send(rig, request, response).ok());
    CHECK_FALSE(response.cachehit());
  }
}

TEST_CASE("fail-fast: an unknown route is refused at once, naming the routes there are") {
  DoorRig rig;
  contract::Heartbeat beat;
  beat.worker = "w";
  beat.routes.emplace_back().route = "openai";
  kubemq::Request request = QueryOn("nosuch_requests");
  (*request.mutable_tags())["fail-fast"] = "yes";
  rig.Publish("llm_workers", contract::ToJson(beat));
  kubemq::Response response;
  REQUIRE(Send(rig, request, response).ok());
  CHECK_FALSE(response.executed());
  CHECK_THAT(response.error(), Catch::Contains("nosuch") && Catch::Contains("openai"));
  CHECK(Json::parse(response.body())["error"]["code"] == "unknown_route");
}

TEST_CASE("fail-fast: a route is served by a heartbeat, or by a worker of others that only subscribed") {
  DoorRig rig;
  rig.Serve("openai_requests", Echo);
  contract::Heartbeat beat;
  beat.worker = "w";
  beat.routes.emplace_back().route = "openai";
  rig.Publish("llm_workers", contract::ToJson(beat));
  kubemq::Request request = QueryOn("openai_requests");
  (*request.mutable_tags())["fail-fast"] = "yes";
  kubemq::Response response;
  REQUIRE(Send(rig, request, response).ok());
  CHECK(response.executed());

  const auto stream = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Queries, "others_requests"));
  request.set_channel("others_requests");
  request.set_timeout(100);
  CHECK(Send(rig, request, response).error_message() == "Error 301: timeout for request message");
}

TEST_CASE("channels are created, listed, searched and deleted on the internal channel, body or not") {
  DoorRig rig;
  const auto manage = [&](const std::string& verb, const std::map<std::string, std::string>& tags) {
    kubemq::Request request = QueryOn("kubemq.cluster.internal.requests", "");
    request.set_metadata(verb);
    for (const auto& [key, value] : tags) (*request.mutable_tags())[key] = value;
    kubemq::Response response;
    REQUIRE(Send(rig, request, response).ok());
    return response;
  };
  const auto names = [&](const std::map<std::string, std::string>& tags) {
    const kubemq::Response response = manage("list-channels", tags);
    CHECK(response.executed());
    CHECK(response.error().empty());
    std::vector<std::string> found;
    for (const Json& row : Json::parse(response.body())) found.push_back(row["name"].get<std::string>());
    return found;
  };
  using Names = std::vector<std::string>;
  CHECK(names({{"channel_type", "queries"}}) == Names{});
  CHECK(manage("create-channel", {{"channel_type", "queries"}, {"channel", "q.one"}, {"client_id", "c"}})
            .executed());
  CHECK(manage("create-channel", {{"channel_type", "queries"}, {"channel", "p.two"}}).executed());
  CHECK(names({{"channel_type", "queries"}}) == Names{"p.two", "q.one"});
  CHECK(names({{"channel_type", "queries"}, {"channel_search", "q."}}) == Names{"q.one"});
  CHECK(names({{"channel_type", "queries"}, {"channel", ""}, {"search", "p.two"}}) == Names{"p.two"});
  CHECK(manage("delete-channel", {{"channel_type", "queries"}, {"channel", "q.one"}}).executed());
  CHECK(names({{"channel_type", "queries"}}) == Names{"p.two"});
  CHECK_THAT(manage("create-channel", {{"channel_type", "topics"}, {"channel", "x"}}).error(),
             Catch::Contains("channel_type"));
  CHECK(manage("create-channel", {{"channel_type", "queues"}, {"channel", "a b"}}).error() ==
        kubemq_text::kWhiteSpace);
  CHECK_FALSE(manage("format-disk", {{"channel_type", "queues"}, {"channel", "a"}}).executed());
}

}  // namespace
}  // namespace llm_router::test
