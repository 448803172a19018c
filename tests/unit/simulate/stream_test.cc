#include <array>
#include <map>

#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using test::AnthropicBody;
using test::DataOf;
using test::Json;
using test::OpenAiBody;
using test::Simulated;
using test::WithSimulator;

Json Streamed(Json body) {
  body["stream"] = true;
  return body;
}

// The deltas of all chunks with choices, joined by field; tool calls by their index.
struct OpenAiWhole {
  explicit OpenAiWhole(const std::vector<Json>& frames) {
    for (const Json& frame : frames) {
      if (!frame.is_object() || frame["choices"].empty()) continue;
      const Json& delta = frame["choices"][0]["delta"];
      content += delta.value("content", Json("")).is_string() ? delta.value("content", "") : "";
      reasoning += delta.value("reasoning_content", "");
      for (const Json& call : delta.value("tool_calls", Json::array())) {
        Json& kept = calls[call["index"].get<size_t>()];
        if (call.contains("id")) kept = call;
        if (!call.contains("id")) {
          kept["function"]["arguments"].get_ref<std::string&>() += call["function"]["arguments"];
        }
      }
      if (frame["choices"][0]["finish_reason"].is_string()) finish = frame["choices"][0]["finish_reason"];
    }
  }

  std::string content;
  std::string reasoning;
  std::map<size_t, Json> calls;
  std::string finish;
};

// The content that the events of a message build, in the shape of a whole one.
Json AnthropicContent(const std::vector<Json>& events) {
  Json content = Json::array();
  std::string input;
  for (const Json& event : events) {
    if (event["type"] == "content_block_start") {
      CHECK(event["index"] == content.size());
      content.push_back(event["content_block"]);
      input.clear();
    }
    if (event["type"] == "content_block_stop" && content.back()["type"] == "tool_use")
      content.back()["input"] = Json::parse(input);
    if (event["type"] != "content_block_delta") continue;
    const Json& delta = event["delta"];
    for (const char* field : {"text", "thinking", "signature"}) {
      if (delta.contains(field)) content.back()[field].get_ref<std::string&>() += delta[field];
    }
    input += delta.value("partial_json", "");
  }
  return content;
}

std::vector<std::string> TypesOf(const std::vector<Json>& events) {
  std::vector<std::string> types;
  for (const Json& event : events) {
    const std::string type = event["type"];
    if (types.empty() || types.back() != type) types.push_back(type);
  }
  return types;
}

Json OpenAiTools() {
  return Json::parse(R"([{"type": "function", "function": {"name": "add"}},
                         {"type": "function", "function": {"name": "sub"}}])");
}
Json AnthropicTools() {
  return Json::parse(R"([{"name": "add", "input_schema": {"type": "object"}},
                         {"name": "sub", "input_schema": {"type": "object"}}])");
}

constexpr const char* kTwoCalls =
    R"(call:add {"long argument": "värde 12345678"} call:sub {"b": 2} reasoning:sums)";

}  // namespace

TEST_CASE("an OpenAI stream is a role, a word a chunk, a finish reason and DONE, and the same text") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json body = OpenAiBody("gpt-4o-mini", "Why is the  sky blue?");
    const Json whole = co_await simulated.Ask(simulated.OpenAiCall(body));
    const auto frames = co_await simulated.Stream(simulated.OpenAiCall(Streamed(body)));
    const size_t words = whole["usage"]["completion_tokens"];
    REQUIRE(frames.size() == words + 3);
    CHECK(frames.front()["choices"][0]["delta"]["role"] == "assistant");
    CHECK(frames.back().is_null());
    for (size_t i = 0; i + 1 < frames.size(); ++i) {
      CHECK(frames[i]["object"] == "chat.completion.chunk");
      CHECK(frames[i]["id"] == frames[0]["id"]);
      CHECK_FALSE(frames[i].contains("usage"));
    }
    const OpenAiWhole joined(frames);
    CHECK(Json(joined.content) == whole["choices"][0]["message"]["content"]);
    CHECK(joined.finish == "stop");
  });
}

TEST_CASE("usage comes in a chunk of its own when it is asked for") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = OpenAiBody("m", "hello");
    const Json whole = co_await simulated.Ask(simulated.OpenAiCall(body));
    body["stream_options"] = {{"include_usage", true}};
    const auto frames = co_await simulated.Stream(simulated.OpenAiCall(Streamed(body)));
    const Json& usage = frames[frames.size() - 2];
    CHECK(usage["choices"].empty());
    CHECK(usage["usage"] == whole["usage"]);
    CHECK(frames[0]["usage"].is_null());
    CHECK(frames[0].contains("usage"));
  });
}

TEST_CASE("streamed OpenAI tool calls come in fragments after the reasoning, and join to the whole ones") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = OpenAiBody("m", kTwoCalls);
    body["tools"] = OpenAiTools();
    const Json whole = (co_await simulated.Ask(simulated.OpenAiCall(body)))["choices"][0];
    const auto frames = co_await simulated.Stream(simulated.OpenAiCall(Streamed(body)));
    const OpenAiWhole joined(frames);
    REQUIRE(joined.calls.size() == 2);
    for (size_t i = 0; i < 2; ++i) {
      const Json& call = joined.calls.at(i);
      const Json& expected = whole["message"]["tool_calls"][i];
      CHECK(call["id"] == expected["id"]);
      CHECK(call["function"] == expected["function"]);
    }
    CHECK(Json(joined.reasoning) == whole["message"]["reasoning_content"]);
    CHECK(joined.finish == "tool_calls");
    CHECK(frames.size() > 10);
  });
}

TEST_CASE("an Anthropic stream has its events in order, named, and the same content") {
  const std::string text = GENERATE(as<std::string>(), "hello you", "reasoning:rain why", kTwoCalls);
  WithSimulator([&](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = AnthropicBody("claude-sonnet-4-5", text);
    body["tools"] = AnthropicTools();
    const Json whole = co_await simulated.Ask(simulated.AnthropicCall(body));
    const auto raw = co_await simulated.Do(simulated.AnthropicCall(Streamed(body)));
    for (const std::string& frame : test::FramesOf(raw->body)) {
      CHECK(frame.find("event: " + DataOf(frame)["type"].get<std::string>() + "\ndata: ") == 0);
    }
    const auto events = co_await simulated.Stream(simulated.AnthropicCall(Streamed(body)));
    CHECK(AnthropicContent(events) == whole["content"]);
    const Json& start = events.front()["message"];
    CHECK(events.front()["type"] == "message_start");
    CHECK(start["content"].empty());
    CHECK(start["usage"]["input_tokens"] == whole["usage"]["input_tokens"]);
    const auto types = TypesOf(events);
    CHECK(types[2] == "ping");
    CHECK(types[types.size() - 3] == "content_block_stop");
    const Json& delta = events[events.size() - 2];
    CHECK(delta["type"] == "message_delta");
    CHECK(delta["delta"]["stop_reason"] == whole["stop_reason"]);
    CHECK(delta["usage"]["output_tokens"] == whole["usage"]["output_tokens"]);
    CHECK(events.back()["type"] == "message_stop");
  });
}

TEST_CASE("reasoning that was given may come back only as it was") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = AnthropicBody("m", "reasoning:rain");
    const Json reply = co_await simulated.Ask(simulated.AnthropicCall(body));
    body["messages"].push_back({{"role", "assistant"}, {"content", reply["content"]}});
    body["messages"].push_back({{"role", "user"}, {"content", "go on"}});
    (void)co_await simulated.Ask(simulated.AnthropicCall(body));
    body["messages"][1]["content"][0]["thinking"] = "changed";
    (void)co_await simulated.Ask(simulated.AnthropicCall(body), 400);
  });
}

TEST_CASE("a streamed text completion joins to the whole one, choice by choice") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = {{"model", "m"}, {"prompt", {"one", "two"}}};
    HttpCall call = simulated.OpenAiCall(body);
    call.url = simulated.Call("POST", "/v1/completions").url;
    const Json whole = co_await simulated.Ask(call);
    call.body = Streamed(body).dump();
    std::array<std::string, 2> texts;
    const auto frames = co_await simulated.Stream(call);
    for (const Json& frame : frames) {
      if (frame.is_null()) continue;
      CHECK(frame["object"] == "text_completion");
      texts.at(frame["choices"][0]["index"]) += frame["choices"][0]["text"];
    }
    for (size_t i = 0; i < 2; ++i) CHECK(Json(texts.at(i)) == whole["choices"][i]["text"]);
    CHECK(frames.back().is_null());
    CHECK(frames[frames.size() - 2]["choices"][0]["finish_reason"] == "stop");
  });
}

TEST_CASE("several choices are streamed side by side") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = OpenAiBody("m", "x");
    body["n"] = 2;
    const auto frames = co_await simulated.Stream(simulated.OpenAiCall(Streamed(body)));
    CHECK(frames[0]["choices"][0]["index"] == 0);
    CHECK(frames[1]["choices"][0]["index"] == 1);
  });
}

TEST_CASE("the token rate paces the words of a stream") {
  SimulatorOptions options;
  options.token_rate = 100;
  options.tokens = 20;
  WithSimulator(
      [](Simulated& simulated, Loop&) -> Awaitable<void> {
        const TimePoint begin = Now();
        (void)co_await simulated.Stream(simulated.OpenAiCall(Streamed(OpenAiBody("m", "x"))));
        CHECK(Now() - begin >= Milliseconds(200));
      },
      options);
}

}  // namespace llm_router
