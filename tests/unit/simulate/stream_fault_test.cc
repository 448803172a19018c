#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using test::AnthropicBody;
using test::DataOf;
using test::Json;
using test::OpenAiBody;
using test::Simulated;
using test::StreamReader;
using test::WithSimulator;

Json Streamed(Json body) {
  body["stream"] = true;
  return body;
}

}  // namespace

TEST_CASE("a stream breaks behind as many words as was asked for, in the way that was") {
  struct Way {
    std::string fault;
    bool ends;   // in order
    bool tells;  // by an error frame
  };
  const Way way = GENERATE(values<Way>(
      {{"cut_stream", false, false}, {"short_stream", true, false}, {"error_in_stream", true, true}}));
  const size_t after = GENERATE(0u, 1u, 3u);
  WithSimulator([&](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    INFO(way.fault << " after " << after);
    const std::string model = "sim-fault-" + way.fault + "-sim-after-" + std::to_string(after);
    StreamReader openai(loop.executor(), simulated.port());
    (void)co_await openai.Open(simulated.OpenAiCall(Streamed(OpenAiBody(model, "x"))));
    StreamReader anthropic(loop.executor(), simulated.port());
    (void)co_await anthropic.Open(simulated.AnthropicCall(Streamed(AnthropicBody(model, "x"))));
    size_t words = 0;
    bool told = false;
    for (auto frame = co_await openai.Next(); !frame.empty(); frame = co_await openai.Next()) {
      const Json data = DataOf(frame);
      told = told || data.contains("error");
      words += data.contains("choices") && data["choices"][0]["delta"].value("content", "") != "" ? 1 : 0;
    }
    CHECK(words == after);
    CHECK(told == way.tells);
    CHECK(openai.ended() == way.ends);
    words = 0;
    told = false;
    for (auto frame = co_await anthropic.Next(); !frame.empty(); frame = co_await anthropic.Next()) {
      told = told || frame.find("event: error\n") == 0;
      words += frame.find("event: content_block_delta") == 0 ? 1 : 0;
      CHECK(frame.find("message_stop") == std::string::npos);
    }
    CHECK(words == after);
    CHECK(told == way.tells);
    CHECK(anthropic.ended() == way.ends);
  });
}

TEST_CASE("a hang in a stream lasts until the client goes away, and the log tells what it had") {
  WithSimulator([](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    co_await simulated.Script(Json::parse(R"([{"fault": "hang_in_stream", "after": 2}])"));
    StreamReader reader(loop.executor(), simulated.port());
    (void)co_await reader.Open(simulated.OpenAiCall(Streamed(OpenAiBody("m", "x"))));
    (void)co_await reader.NextWith(" openai");
    reader.Close();
    CHECK(co_await simulated.Reaches("aborted", 1));
    const Json log = co_await simulated.Ask(simulated.Call("GET", "/simulate/requests"));
    const Json& request = log["requests"][0];
    CHECK(request["tokens"] == 2);
    CHECK(request["streamed"] == true);
    CHECK(request["outcome"] == "aborted");
    CHECK(request["ended_ms"] >= request["started_ms"]);
    const Json counters = co_await simulated.Counters();
    CHECK(counters["streams"] == 1);
    CHECK(counters["tokens"] == 2);
  });
}

TEST_CASE("faults of streams break whole answers, and faults of whole answers streams") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const auto whole = co_await simulated.Do(simulated.OpenAiCall(OpenAiBody("sim-fault-cut_stream", "x")));
    CHECK(FaultOf(whole.status()) == Fault::kProviderUnreachable);
    for (const std::string fault :
         {"html", "empty", "error_in_200", "truncated_json", "bad_utf8", "wrong_types"}) {
      INFO(fault);
      const auto reply =
          co_await simulated.Do(simulated.OpenAiCall(Streamed(OpenAiBody("sim-fault-" + fault, "x"))));
      REQUIRE(reply.ok());
      CHECK(reply->body.find("[DONE]") == (fault == "bad_utf8" ? reply->body.size() - 8 : std::string::npos));
    }
  });
}

TEST_CASE("at a gate each word of a stream waits for leave") {
  WithSimulator([](Simulated& simulated, Loop& loop) -> Awaitable<void> {
    const auto allow = [&](int frames) -> Awaitable<void> {
      (void)co_await simulated.Ask(
          simulated.Call("POST", "/simulate/gate", Json({{"name", "a1"}, {"frames", frames}}).dump()));
    };
    const auto sent = [&]() -> Awaitable<int> {
      co_return (co_await simulated.Ask(simulated.Call("GET", "/simulate/gate")))["gates"]["a1"]["sent"];
    };
    StreamReader reader(loop.executor(), simulated.port());
    (void)co_await reader.Open(simulated.OpenAiCall(Streamed(OpenAiBody("sim-gate-a1", "x"))));
    (void)co_await reader.NextWith("role");
    CHECK(co_await sent() == 0);
    co_await allow(1);
    CHECK(DataOf(co_await reader.Next())["choices"][0]["delta"]["content"] == "[simulated");
    CHECK(co_await sent() == 1);
    co_await allow(3);
    CHECK_FALSE((co_await reader.NextWith("sim-gate-a1]")).empty());
    CHECK(co_await sent() == 3);
    (void)co_await simulated.Ask(simulated.Call("POST", "/simulate/reset"));
    CHECK_FALSE((co_await reader.NextWith("[DONE]")).empty());
  });
}

TEST_CASE("a gate that can't be is refused") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    HttpCall call = simulated.OpenAiCall(OpenAiBody("m", "x"));
    call.headers.emplace_back("x-simulate-gate", "no name");
    (void)co_await simulated.Ask(call, 400);
    (void)co_await simulated.Ask(simulated.Call("POST", "/simulate/gate", R"({"name": "a"})"), 400);
    for (int i = 0; i < 1000; ++i) {
      const Json gate = {{"name", "g" + std::to_string(i)}, {"frames", 1}};
      (void)co_await simulated.Ask(simulated.Call("POST", "/simulate/gate", gate.dump()));
    }
    (void)co_await simulated.Ask(simulated.Call("POST", "/simulate/gate", R"({"name": "more", "frames": 1})"),
                                 400);
  });
}

}  // namespace llm_router
