#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using test::AnthropicBody;
using test::Json;
using test::OpenAiBody;
using test::Simulated;
using test::WithSimulator;

std::string TextOf(const Json& reply) {
  if (reply.contains("choices")) return reply["choices"][0]["message"]["content"];
  return reply["content"][0]["text"];
}

Json Tools() {
  return Json::parse(
      R"([{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object",
      "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 3}}}}}])");
}

}  // namespace

TEST_CASE("an OpenAI answer tells model, text and parameters, and counts words as tokens") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = OpenAiBody("gpt-4o-mini", "Why is the sky blue?");
    body["temperature"] = 0.2;
    const Json reply = co_await simulated.Ask(simulated.OpenAiCall(body));
    CHECK(TextOf(reply) ==
          R"([simulated openai gpt-4o-mini] You said: "Why is the sky blue?" (messages=1 temperature=0.2))");
    CHECK(reply["object"] == "chat.completion");
    CHECK(reply["model"] == "gpt-4o-mini");
    CHECK(reply["choices"][0]["finish_reason"] == "stop");
    CHECK(reply["usage"]["prompt_tokens"] == 5);
    CHECK(reply["usage"]["completion_tokens"] == 12);
    CHECK(reply["usage"]["total_tokens"] == 17);
  });
}

TEST_CASE("an Anthropic answer tells the same in that provider's shape") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json reply =
        co_await simulated.Ask(simulated.AnthropicCall(AnthropicBody("claude-sonnet-4-5", "Hi you")));
    CHECK(TextOf(reply) ==
          R"([simulated anthropic claude-sonnet-4-5] You said: "Hi you" (messages=1 max_tokens=1000))");
    CHECK(reply["type"] == "message");
    CHECK(reply["stop_reason"] == "end_turn");
    CHECK(reply["usage"]["input_tokens"] == 2);
    CHECK(reply["usage"]["output_tokens"] == 9);
  });
}

TEST_CASE("a longer conversation shows every message, image and tool result") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = Json::parse(R"({"model": "m", "messages": [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": [{"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
            "function": {"name": "get_weather", "arguments": "{\"city\":\"Rome\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "22 C"}]})");
    const std::string text = TextOf(co_await simulated.Ask(simulated.OpenAiCall(body)));
    CHECK(text.find("The tool said: \"22 C\"") != std::string::npos);
    CHECK(text.find("system: \"Be brief\", user: \"look [image image/png 3 bytes #") != std::string::npos);
    CHECK(text.find("[calls get_weather({\"city\":\"Rome\"})]") != std::string::npos);
    body["messages"][1]["content"][1]["image_url"]["url"] = "data:image/png;base64,AAAB";
    CHECK(TextOf(co_await simulated.Ask(simulated.OpenAiCall(body))) != text);
  });
}

TEST_CASE("a long text is cut, and any change in it still shows") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    std::string said(5000, 'a');
    const std::string first = TextOf(co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("m", said))));
    said[4000] = 'b';
    const std::string second = TextOf(co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("m", said))));
    CHECK(first.size() < 400);
    CHECK(first != second);
  });
}

TEST_CASE("a tool is called when the message says so, with the arguments given or such as its schema wants") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = OpenAiBody("m", R"(please call:get_weather {"city": "Oslo"} now)");
    body["tools"] = Tools();
    Json choice = (co_await simulated.Ask(simulated.OpenAiCall(body)))["choices"][0];
    CHECK(choice["finish_reason"] == "tool_calls");
    CHECK(choice["message"]["content"].is_null());
    CHECK(choice["message"]["tool_calls"][0]["function"]["name"] == "get_weather");
    CHECK(choice["message"]["tool_calls"][0]["function"]["arguments"] == R"({"city":"Oslo"})");
    body["messages"][0]["content"] = "any";
    body["tool_choice"] = "required";
    choice = (co_await simulated.Ask(simulated.OpenAiCall(body)))["choices"][0];
    CHECK(choice["message"]["tool_calls"][0]["function"]["arguments"] == R"({"city":"any","days":3})");
    body["tool_choice"] = "none";
    choice = (co_await simulated.Ask(simulated.OpenAiCall(body)))["choices"][0];
    CHECK(choice["finish_reason"] == "stop");
  });
}

TEST_CASE("an Anthropic tool call has its input as JSON") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = AnthropicBody("m", "call:add");
    body["tools"] = Json::parse(R"([{"name": "add", "input_schema": {"type": "object",
        "properties": {"a": {"type": "number"}}}}])");
    const Json reply = co_await simulated.Ask(simulated.AnthropicCall(body));
    CHECK(reply["stop_reason"] == "tool_use");
    CHECK(reply["content"][0]["type"] == "tool_use");
    CHECK(reply["content"][0]["input"] == Json({{"a", 8}}));
  });
}

TEST_CASE("structured output answers with JSON of the schema") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = OpenAiBody("m", "as json");
    body["response_format"] = {{"type", "json_object"}};
    CHECK(Json::parse(TextOf(co_await simulated.Ask(simulated.OpenAiCall(body))))["you_said"] == "as json");
    body["response_format"] = Json::parse(R"({"type": "json_schema", "json_schema": {"name": "s", "schema": {
        "type": "object", "properties": {"kind": {"enum": ["a", "b"]}, "list": {"type": "array",
        "items": {"$ref": "#/$defs/item"}}}, "$defs": {"item": {"type": ["boolean", "null"]}}}}})");
    CHECK(Json::parse(TextOf(co_await simulated.Ask(simulated.OpenAiCall(body)))) ==
          Json::parse(R"({"kind": "a", "list": [true]})"));
  });
}

TEST_CASE("limits, stop sequences and finish words end an answer as they would") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = AnthropicBody("m", "one two three");
    body["max_tokens"] = 3;
    Json reply = co_await simulated.Ask(simulated.AnthropicCall(body));
    CHECK(reply["stop_reason"] == "max_tokens");
    CHECK(reply["usage"]["output_tokens"] == 3);
    CHECK(TextOf(reply) == "[simulated anthropic m]");
    body["max_tokens"] = 100;
    body["stop_sequences"] = {"two"};
    reply = co_await simulated.Ask(simulated.AnthropicCall(body));
    CHECK(reply["stop_reason"] == "stop_sequence");
    CHECK(reply["stop_sequence"] == "two");
    reply = co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("m", "finish:content_filter")));
    CHECK(reply["choices"][0]["finish_reason"] == "content_filter");
    reply = co_await simulated.Ask(simulated.OpenAiCall(OpenAiBody("gpt-sim-tokens-50", "x")));
    CHECK(reply["usage"]["completion_tokens"] == 50);
  });
}

TEST_CASE("models are listed in the shape of the provider that is asked") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    HttpCall call = simulated.OpenAiCall({});
    call.method = "GET";
    call.url = simulated.Call("GET", "/v1/models").url;
    CHECK((co_await simulated.Ask(call))["data"][0]["object"] == "model");
    call.headers = simulated.AnthropicCall({}).headers;
    CHECK((co_await simulated.Ask(call))["data"][0]["type"] == "model");
  });
}

}  // namespace llm_router
