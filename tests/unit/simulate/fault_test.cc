#include "proto/fault.h"

#include <algorithm>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "router/net/descriptors.h"
#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using test::AnthropicBody;
using test::Json;
using test::OpenAiBody;
using test::Simulated;
using test::WithSimulator;

constexpr auto kPatience = std::chrono::seconds(20);

Awaitable<void> Tell(Simulated& simulated, HttpCall call, OneShot<absl::Status>& told) {
  told.Set((co_await simulated.Do(std::move(call))).status());
}

Awaitable<void> CountFinished(Simulated& simulated, HttpCall call, int& finished) {
  const auto reply = co_await simulated.Do(std::move(call));
  if (reply.ok() && reply->status == 200) ++finished;
}

}  // namespace

TEST_CASE("a status asked for by the model's name comes in each provider's shape") {
  const int status = GENERATE(400, 401, 403, 404, 408, 413, 429, 500, 503, 529);
  WithSimulator([status](Simulated& simulated, Loop&) -> Awaitable<void> {
    const std::string model = "gpt-4o-sim-fault-" + std::to_string(status);
    Json reply = co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody(model, "x")), status);
    CHECK(reply["error"]["message"].is_string());
    reply = co_await simulated.Ask(simulated.AnthropicCall(AnthropicBody(model, "x")), status);
    CHECK(reply["type"] == "error");
    const auto whole = co_await simulated.Do(simulated.OpenAiCall(OpenAiBody(model, "x")));
    const bool come_back = status == 429 || status == 503 || status == 529;
    CHECK(HeaderOr(whole->headers, "retry-after") == (come_back ? "1" : ""));
    CHECK_FALSE(HeaderOr(whole->headers, "x-request-id").empty());
  });
}

TEST_CASE("a 401 quotes the key, so that a test can prove that nobody passes it on") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json reply = co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("sim-fault-401", "x")), 401);
    CHECK(reply["error"]["message"].get<std::string>().find("sk-test-key") != std::string::npos);
  });
}

TEST_CASE("a broken connection is what the client sees of a reset") {
  const std::string fault = GENERATE(as<std::string>(), "reset", "reset_mid_body");
  WithSimulator([fault](Simulated& simulated, Loop&) -> Awaitable<void> {
    const auto outcome = co_await simulated.Do(simulated.OpenAiCall(OpenAiBody("sim-fault-" + fault, "x")));
    CHECK(FaultOf(outcome.status()) == Fault::kProviderUnreachable);
  });
}

TEST_CASE("a hanging answer ends with the client's patience and counts as aborted") {
  const std::string fault = GENERATE(as<std::string>(), "hang_before_headers", "hang_after_headers");
  WithSimulator([fault](Simulated& simulated, Loop&) -> Awaitable<void> {
    HttpCall call = simulated.OpenAiCall(OpenAiBody("sim-fault-" + fault, "x"));
    call.deadline = Now() + Milliseconds(30);
    const auto outcome = co_await simulated.Do(std::move(call));
    CHECK(FaultOf(outcome.status()) == Fault::kProviderTimeout);
    CHECK(co_await simulated.Reaches("aborted", 1));
  });
}

TEST_CASE("a spoilt body is spoilt in the way that was asked for") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const auto body_of = [&](std::string fault) -> Awaitable<std::string> {
      const auto reply = co_await simulated.Do(simulated.OpenAiCall(OpenAiBody("sim-fault-" + fault, "x")));
      REQUIRE(reply.ok());
      CHECK(reply->status == 200);
      co_return reply->body;
    };
    CHECK((co_await body_of("html")).find("<html>") == 0);
    CHECK((co_await body_of("empty")).empty());
    CHECK(Json::parse(co_await body_of("error_in_200")).contains("error"));
    CHECK(Json::parse(co_await body_of("truncated_json"), nullptr, false).is_discarded());
    CHECK(Json::parse(co_await body_of("bad_utf8"), nullptr, false).is_discarded());
    CHECK(Json::parse(co_await body_of("wrong_types"))["choices"] == 7);
    CHECK(Json::parse(co_await body_of("slow")).contains("choices"));
  });
}

TEST_CASE("a huge answer is a hundred megabytes, and one who hangs up in it is counted") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    HttpCall call = simulated.OpenAiCall(OpenAiBody("sim-fault-huge", "x"));
    CHECK(FaultOf((co_await simulated.Do(call)).status()) == Fault::kProviderBadReply);
    CHECK(co_await simulated.Reaches("aborted", 1));
    call.max_reply = 200'000'000;
    const auto reply = co_await simulated.Do(std::move(call));
    REQUIRE(reply.ok());
    CHECK(reply->body.size() == 100 * 1024 * 1024 + 2);
  });
}

TEST_CASE("a script may leave alone all but each n-th request that fits") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    co_await simulated.Script(Json::parse(R"([{"fault": "500", "every": 3, "times": 2}])"));
    for (const int status : {200, 200, 500, 200, 200, 500, 200, 200, 200}) {
      (void)co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("gpt-4o", "x")), status);
    }
  });
}

TEST_CASE("a script is used up by the requests that fit it, in order, after headers and model names") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    co_await simulated.Script(Json::parse(R"([{"fault": "429", "times": 2, "retry_after": 7},
        {"fault": 500, "path": "/v1/messages"}, {"fault": "none"}, {"fault": "503", "model": "other"}])"));
    const HttpCall call = simulated.OpenAiCall(OpenAiBody("m", "x"));
    const auto first = co_await simulated.Do(call);
    CHECK(first->status == 429);
    CHECK(HeaderOr(first->headers, "retry-after") == "7");
    (void)co_await simulated.Ask(call, 429);
    (void)co_await simulated.Ask(call, 200);
    (void)co_await simulated.Ask(call, 200);
    (void)co_await simulated.Ask(simulated.AnthropicCall(AnthropicBody("m", "x")), 500);
    (void)co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("other", "x")), 503);
    (void)co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("other", "x")), 200);
  });
}

TEST_CASE("a header steers one request") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    HttpCall call = simulated.OpenAiCall(OpenAiBody("m", "x"));
    call.headers.emplace_back("x-simulate-fault", "503");
    call.headers.emplace_back("x-simulate-retry-after", "2.5");
    const auto reply = co_await simulated.Do(call);
    CHECK(reply->status == 503);
    CHECK(HeaderOr(reply->headers, "retry-after") == "2.5");
  });
}

TEST_CASE("a fault that does not exist is refused with the list of those that do") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json reply =
        co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("sim-fault-meltdown", "x")), 400);
    CHECK(reply["error"]["message"].get<std::string>().find("hang_before_headers") != std::string::npos);
    const std::string script = GENERATE(as<std::string>(), "{}", "nonsense", R"([{"fault": "600"}])", "[7]");
    (void)co_await simulated.Ask(simulated.Call("POST", "/simulate/script", script), 400);
  });
}

TEST_CASE("latency and token rate delay an answer, and two thousand wait at once") {
  RaiseDescriptorLimit();
  SimulatorOptions options;
  options.latency = Milliseconds(300);
  WithSimulator(
      [](Simulated& simulated, Loop& loop) -> Awaitable<void> {
        TaskGroup tasks(loop.executor());
        int finished = 0;
        const HttpCall call = simulated.OpenAiCall(OpenAiBody("sim-latency-600000", "x"));
        for (int i = 0; i < 2000; ++i) tasks.Spawn(CountFinished(simulated, call, finished));
        CHECK(co_await simulated.Reaches("in_flight", 2000));
        tasks.Cancel();
        co_await tasks.Join();
        CHECK(finished == 0);
        CHECK(co_await simulated.Reaches("in_flight", 0));
        CHECK((co_await simulated.Counters())["peak_in_flight"] == 2000);
        const TimePoint begin = Now();
        (void)co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("m", "x")));
        CHECK(Now() - begin >= Milliseconds(300));
      },
      options);
}

TEST_CASE("the log shows what came, with keys hashed, and the counters how it went") {
  WithSimulator([](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    (void)co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("gpt-4o", "hello")));
    (void)co_await simulated.Ask(simulated.AnthropicCall(AnthropicBody("sim-fault-500", "x")), 500);
    const std::string log = (co_await simulated.Do(simulated.Call("GET", "/simulate/requests")))->body;
    CHECK(log.find("sk-test-key") == std::string::npos);
    CHECK(log.find("sk-ant-key") == std::string::npos);
    const Json requests = Json::parse(log)["requests"];
    REQUIRE(requests.size() == 2);
    CHECK(requests[0]["path"] == "/v1/chat/completions");
    CHECK(requests[0]["model"] == "gpt-4o");
    CHECK(Json::parse(requests[0]["body"].get<std::string>())["messages"][0]["content"] == "hello");
    CHECK(requests[0]["headers"]["authorization"].get<std::string>().find("sha256:") == 0);
    CHECK(requests[0]["outcome"] == "finished");
    CHECK(requests[1]["fault"] == "500");
    CHECK(requests[1]["status"] == 500);
    const Json last = co_await simulated.Ask(simulated.Call("GET", "/simulate/requests?last=1"));
    CHECK(last["requests"].size() == 1);

    TaskGroup tasks(loop.executor());
    OneShot<absl::Status> told(loop.executor());
    tasks.Spawn(Tell(simulated, simulated.OpenAiCall(OpenAiBody("sim-latency-60000", "x")), told));
    CHECK(co_await simulated.Reaches("in_flight", 1));
    tasks.Cancel();
    CHECK((co_await told.Wait(Now() + kPatience)).has_value());
    co_await tasks.Join();
    CHECK(co_await simulated.Reaches("aborted", 1));
    const Json counters = co_await simulated.Counters();
    CHECK(counters["total"] == 3);
    CHECK(counters["finished"] == 2);
    CHECK(counters["by_path"]["/v1/chat/completions"]["aborted"] == 1);
    CHECK(counters["by_status"]["500"] == 1);

    (void)co_await simulated.Ask(simulated.Call("POST", "/simulate/reset"));
    CHECK((co_await simulated.Counters())["total"] == 0);
  });
}

TEST_CASE("the log keeps no more requests than it was told to") {
  SimulatorOptions options;
  options.log_size = 3;
  WithSimulator(
      [](Simulated& simulated, Loop&) -> Awaitable<void> {
        for (int i = 0; i < 10; ++i) {
          (void)co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("m" + std::to_string(i), "x")));
        }
        const Json log = co_await simulated.Ask(simulated.Call("GET", "/simulate/requests"));
        REQUIRE(log["requests"].size() == 3);
        CHECK(log["requests"][2]["model"] == "m9");
        CHECK((co_await simulated.Counters())["total"] == 10);
      },
      options);
}

}  // namespace llm_router
