// A running simulator and a client of it, for the tests of what it answers.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "router/net/http_client.h"
#include "router/simulate/simulator.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/simulate/stream_reader.h"

namespace llm_router::test {

using Json = nlohmann::json;

class Simulated {
 public:
  Simulated(Loop& loop, SimulatorOptions options) : client_(loop.executor()) {
    auto started = Simulator::Start(loop.executor(), std::move(options));
    INFO(started.status().ToString());
    REQUIRE(started.ok());
    simulator_ = *std::move(started);
  }

  HttpCall Call(std::string method, std::string path, std::string body = {}) const {
    HttpCall call;
    call.method = std::move(method);
    call.url = "http://127.0.0.1:" + std::to_string(simulator_->port()) + std::move(path);
    call.body = std::move(body);
    call.deadline = Now() + std::chrono::seconds(20);
    call.max_reply = 1'000'000;
    return call;
  }
  HttpCall OpenAiCall(const Json& body) const {
    HttpCall call = Call("POST", "/v1/chat/completions", body.dump());
    call.headers = {{"content-type", "application/json"}, {"authorization", "Bearer sk-test-key"}};
    return call;
  }
  HttpCall AnthropicCall(const Json& body) const {
    HttpCall call = Call("POST", "/v1/messages", body.dump());
    call.headers = {{"content-type", "application/json"},
                    {"x-api-key", "sk-ant-key"},
                    {"anthropic-version", "2023-06-01"}};
    return call;
  }

  Awaitable<absl::StatusOr<HttpReply>> Do(HttpCall call) { return client_.Do(std::move(call)); }

  // The JSON body of a reply that must come.
  Awaitable<Json> Ask(HttpCall call, int status = 200) {
    const auto reply = co_await client_.Do(std::move(call));
    INFO(reply.status().ToString());
    REQUIRE(reply.ok());
    INFO(reply->body);
    CHECK(reply->status == status);
    co_return Json::parse(reply->body);
  }
  Awaitable<Json> Counters() { return Ask(Call("GET", "/simulate/counters")); }
  Awaitable<void> Script(Json list) { (void)co_await Ask(Call("POST", "/simulate/script", list.dump())); }

  // Waits until the counter has that value.
  Awaitable<bool> Reaches(std::string counter, int value) {
    const TimePoint patience = Now() + std::chrono::seconds(60);  // only a failing case waits it out
    while (Now() < patience) {
      const Json counters = co_await Counters();
      if (counters[counter] == value) co_return true;
    }
    co_return false;
  }

  // The frames of a stream that must come whole.
  Awaitable<std::vector<Json>> Stream(HttpCall call) {
    const auto reply = co_await client_.Do(std::move(call));
    INFO(reply.status().ToString());
    REQUIRE(reply.ok());
    INFO(reply->body);
    CHECK(reply->status == 200);
    CHECK(HeaderOr(reply->headers, "content-type").find("text/event-stream") == 0);
    std::vector<Json> frames;
    for (const std::string& frame : FramesOf(reply->body)) frames.push_back(DataOf(frame));
    co_return frames;
  }
  int port() const { return simulator_->port(); }

  Awaitable<void> Stop() { return simulator_->Stop(); }

 private:
  HttpClient client_;
  std::unique_ptr<Simulator> simulator_;
};

inline void WithSimulator(const std::function<Awaitable<void>(Simulated&, Loop&)>& body,
                          SimulatorOptions options = {}) {
  Run([&](Loop& loop) -> Awaitable<void> {
    Simulated simulated(loop, options);
    co_await body(simulated, loop);
    co_await simulated.Stop();
  });
}

inline Json OpenAiBody(std::string model, std::string text) {
  return {{"model", std::move(model)}, {"messages", {{{"role", "user"}, {"content", std::move(text)}}}}};
}
inline Json AnthropicBody(std::string model, std::string text) {
  Json body = OpenAiBody(std::move(model), std::move(text));
  body["max_tokens"] = 1000;
  return body;
}

}  // namespace llm_router::test
