#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using test::AnthropicBody;
using test::Json;
using test::OpenAiBody;
using test::Simulated;
using test::WithSimulator;

// A change to a request that is good otherwise (a JSON merge patch), and a word of the refusal.
struct Row {
  std::string patch;
  std::string says;
};

}  // namespace

TEST_CASE("a body that OpenAI would refuse is refused in its shape") {
  const Row row = GENERATE(values<Row>({
      {R"({"model": null})", "model"},
      {R"({"messages": null})", "messages"},
      {R"({"messages": []})", "empty array"},
      {R"({"messages": [{"role": "robot", "content": "x"}]})", "robot"},
      {R"({"messages": [{"role": "user", "content": null}]})", "content"},
      {R"({"messages": [{"role": "user", "content": []}]})", "content"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image"}]}]})", "image"},
      {R"({"messages": [{"role": "system", "content": [{"type": "image_url"}]}]})", "only user"},
      {R"({"messages": [{"role": "tool", "tool_call_id": "x", "content": "y"}]})", "preceding"},
      {R"({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function",
           "function": {"name": "f", "arguments": "{}"}}]}, {"role": "user", "content": "x"}]})",
       "must be followed"},
      {R"({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function",
           "function": {"name": "f", "arguments": {}}}]}]})",
       "expected a string"},
      {R"({"temperature": 2.5})", "temperature"},
      {R"({"temperature": "hot"})", "temperature"},
      {R"({"top_p": -1})", "top_p"},
      {R"({"n": 0})", "'n'"},
      {R"({"max_tokens": 0})", "max_tokens"},
      {R"({"max_tokens": 1.5})", "max_tokens"},
      {R"({"max_tokens": 5, "max_completion_tokens": 5})", "same time"},
      {R"({"model": "o3-mini", "max_tokens": 5})", "max_completion_tokens"},
      {R"({"stop": ["a", "b", "c", "d", "e"]})", "stop"},
      {R"({"tools": []})", "tools"},
      {R"({"tools": [{"type": "function", "function": {"name": "not a name"}}]})", "tools[0]"},
      {R"({"tool_choice": "auto"})", "only allowed"},
      {R"({"tools": [{"type": "function", "function": {"name": "f"}}],
           "tool_choice": {"type": "function", "function": {"name": "g"}}})",
       "'g'"},
      {R"({"response_format": {"type": "json_object"}})", "the word 'json'"},
      {R"({"response_format": {"type": "json_schema"}})", "json_schema.name"},
      {R"({"response_format": {"type": "yaml"}})", "yaml"},
      {R"({"top_k": 5})", "Unrecognized request argument supplied: top_k"},
      {R"({"stream": "yes"})", "boolean"},
      {R"({"stream_options": {"include_usage": true}})", "only allowed when 'stream'"},
      {R"({"stream": true, "stream_options": []})", "expected an object"},
      {R"({"stream": true, "stream_options": {"include_usage": 1}})", "include_usage"},
      {R"({"stream": true, "stream_options": {"speed": 1}})", "stream_options.speed"},
  }));
  WithSimulator([&](Simulated& simulated, Loop&) -> Awaitable<void> {
    INFO(row.patch);
    Json body = OpenAiBody("gpt-4o", "hello");
    body.merge_patch(Json::parse(row.patch));
    const Json error = (co_await simulated.Ask(simulated.OpenAiCall(body), 400))["error"];
    CHECK(error["type"] == "invalid_request_error");
    CHECK(error.contains("param"));
    CHECK(error.contains("code"));
    CHECK(error["message"].get<std::string>().find(row.says) != std::string::npos);
  });
}

TEST_CASE("a body that Anthropic would refuse is refused in its shape") {
  const Row row = GENERATE(values<Row>({
      {R"({"model": null})", "model: Field required"},
      {R"({"max_tokens": null})", "max_tokens: Field required"},
      {R"({"max_tokens": 0})", "max_tokens"},
      {R"({"temperature": 1.1})", "temperature"},
      {R"({"messages": []})", "at least one"},
      {R"({"messages": [{"role": "assistant", "content": "x"}]})", "first message"},
      {R"({"messages": [{"role": "system", "content": "x"}]})", "`system` parameter"},
      {R"({"messages": [{"role": "user", "content": ""}]})", "non-empty"},
      {R"({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]})", "non-empty"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})", "image_url"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64",
           "media_type": "image/bmp", "data": "AAAA"}}]}]})",
       "media_type"},
      {R"({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]})",
       "unexpected `tool_use_id`"},
      {R"({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [{"type": "tool_use",
           "id": "a", "name": "f", "input": {}}]}, {"role": "user", "content": "y"}]})",
       "without `tool_result`"},
      {R"({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y "}]})",
       "trailing whitespace"},
      {R"({"system": [{"type": "image"}]})", "system"},
      {R"({"stop_sequences": [" "]})", "non-whitespace"},
      {R"({"tools": [{"name": "f"}]})", "input_schema"},
      {R"({"tool_choice": {"type": "auto"}})", "providing tools"},
      {R"({"thinking": {"type": "enabled", "budget_tokens": 1000}})", "1024"},
      {R"({"thinking": {"type": "enabled", "budget_tokens": 2000}})", "max_tokens"},
      {R"({"stop": ["x"]})", "stop: Extra inputs are not permitted"},
      {R"({"stream": 1})", "stream"},
      {R"({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [
           {"type": "thinking", "thinking": "hm", "signature": "forged"}, {"type": "text", "text": "y"}]},
           {"role": "user", "content": "z"}]})",
       "Invalid `signature`"},
  }));
  WithSimulator([&](Simulated& simulated, Loop&) -> Awaitable<void> {
    INFO(row.patch);
    Json body = AnthropicBody("claude-sonnet-4-5", "hello");
    body.merge_patch(Json::parse(row.patch));
    const Json reply = co_await simulated.Ask(simulated.AnthropicCall(body), 400);
    CHECK(reply["type"] == "error");
    CHECK(reply["error"]["type"] == "invalid_request_error");
    CHECK_FALSE(reply["request_id"].get<std::string>().empty());
    CHECK(reply["error"]["message"].get<std::string>().find(row.says) != std::string::npos);
  });
}

TEST_CASE("a body that completions, embeddings or token counts would not take is refused") {
  struct Endpoint {
    std::string path;
    std::string body;  // a good one
  };
  const Endpoint completions{"/v1/completions", R"({"model": "m", "prompt": "x"})"};
  const Endpoint embeddings{"/v1/embeddings", R"({"model": "m", "input": "x"})"};
  const Endpoint counts{"/v1/messages/count_tokens",
                        R"({"model": "m", "messages": [{"role": "user", "content": "x"}]})"};
  const std::vector<std::pair<Endpoint, Row>> rows = {
      {completions, {R"({"model": null})", "model"}},
      {completions, {R"({"prompt": null})", "prompt"}},
      {completions, {R"({"prompt": [1, "x"]})", "prompt"}},
      {completions, {R"({"prompt": []})", "prompt"}},
      {completions, {R"({"n": 3, "best_of": 2})", "best_of"}},
      {completions, {R"({"logprobs": 6})", "logprobs"}},
      {completions, {R"({"echo": 1})", "echo"}},
      {completions, {R"({"messages": []})", "messages"}},
      {completions, {R"({"stream_options": {"include_usage": true}})", "stream_options"}},
      {embeddings, {R"({"input": null})", "input"}},
      {embeddings, {R"({"input": ""})", "empty string"}},
      {embeddings, {R"({"input": ["a", ""]})", "empty string"}},
      {embeddings, {R"({"input": [[1], [-1]]})", "input"}},
      {embeddings, {R"({"encoding_format": "hex"})", "encoding_format"}},
      {embeddings, {R"({"dimensions": 0})", "dimensions"}},
      {embeddings, {R"({"model": "text-embedding-ada-002", "dimensions": 8})", "dimensions"}},
      {embeddings, {R"({"stream": true})", "stream"}},
      {counts, {R"({"max_tokens": 5})", "max_tokens: Extra inputs"}},
      {counts, {R"({"stream": true})", "stream: Extra inputs"}},
      {counts, {R"({"messages": []})", "at least one"}},
      {counts, {R"({"model": null})", "model: Field required"}},
  };
  WithSimulator([&](Simulated& simulated, Loop&) -> Awaitable<void> {
    for (const auto& [endpoint, row] : rows) {
      INFO(endpoint.path << " " << row.patch);
      HttpCall call = endpoint.path == counts.path ? simulated.AnthropicCall({}) : simulated.OpenAiCall({});
      call.url = simulated.Call("POST", endpoint.path).url;
      Json body = Json::parse(endpoint.body);
      call.body = body.dump();
      (void)co_await simulated.Ask(call, 200);
      body.merge_patch(Json::parse(row.patch));
      call.body = body.dump();
      const Json reply = co_await simulated.Ask(call, 400);
      CHECK(reply["error"]["type"] == "invalid_request_error");
      CHECK(reply["error"]["message"].get<std::string>().find(row.says) != std::string::npos);
    }
  });
}

TEST_CASE("a request without key, version or JSON is refused as the provider does") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    HttpCall call = simulated.OpenAiCall(OpenAiBody("m", "x"));
    call.headers.pop_back();
    CHECK((co_await simulated.Ask(call, 401))["error"]["code"] == "invalid_api_key");
    call = simulated.OpenAiCall(OpenAiBody("m", "x"));
    call.headers[0].second = "text/plain";
    (void)co_await simulated.Ask(call, 415);
    call = simulated.OpenAiCall(OpenAiBody("m", "x"));
    call.body = "{";
    (void)co_await simulated.Ask(call, 400);
    call = simulated.AnthropicCall(AnthropicBody("m", "x"));
    call.headers[2].second = "2020-01-01";
    CHECK((co_await simulated.Ask(call, 400))["error"]["type"] == "invalid_request_error");
    call.headers.pop_back();
    (void)co_await simulated.Ask(call, 400);
    call.headers.pop_back();
    CHECK((co_await simulated.Ask(call, 401))["error"]["type"] == "authentication_error");
  });
}

TEST_CASE("a wrong path or method is named") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    HttpCall call = simulated.OpenAiCall({});
    call.url = simulated.Call("POST", "/v1/nothing").url;
    const Json reply = co_await simulated.Ask(call, 404);
    CHECK(reply["error"]["message"].get<std::string>().find("/v1/nothing") != std::string::npos);
    call = simulated.OpenAiCall({});
    call.method = "GET";
    (void)co_await simulated.Ask(call, 405);
  });
}

TEST_CASE("without strict mode it answers whatever it can read") {
  SimulatorOptions options;
  options.strict = false;
  WithSimulator(
      [](Simulated& simulated, Loop&) -> Awaitable<void> {
        HttpCall call = simulated.Call("POST", "/v1/chat/completions", R"({"messages": 7, "what": [1]})");
        const Json reply = co_await simulated.Ask(call);
        const std::string text = reply["choices"][0]["message"]["content"];
        CHECK(text.find("what=[1]") != std::string::npos);
        call.body = "[]";
        (void)co_await simulated.Ask(call, 400);
      },
      options);
}

}  // namespace llm_router
