#include <cmath>
#include <cstring>

#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using test::AnthropicBody;
using test::Json;
using test::Simulated;
using test::WithSimulator;

HttpCall CallOf(Simulated& simulated, const std::string& path, const Json& body) {
  HttpCall call = simulated.OpenAiCall(body);
  call.url = simulated.Call("POST", path).url;
  return call;
}

HttpCall Embed(Simulated& simulated, const Json& input, const Json& more = Json::object()) {
  Json body = {{"model", "text-embedding-3-small"}, {"input", input}};
  body.update(more);
  return CallOf(simulated, "/v1/embeddings", body);
}

double LengthOf(const Json& vector) {
  double squares = 0;
  for (const double value : vector) squares += value * value;
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("an embedding is a vector of length one that only its own text gives") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json reply = co_await simulated.Ask(Embed(simulated, {"one two", "three", "one two"}));
    CHECK(reply["object"] == "list");
    CHECK(reply["usage"]["prompt_tokens"] == 5);
    REQUIRE(reply["data"].size() == 3);
    const Json first = reply["data"][0]["embedding"];
    CHECK(reply["data"][1]["index"] == 1);
    CHECK(first.size() == 1536);
    CHECK(LengthOf(first) == Approx(1.0).epsilon(1e-5));
    CHECK(first != reply["data"][1]["embedding"]);
    CHECK(first == reply["data"][2]["embedding"]);
  });
}

TEST_CASE("fewer dimensions are the beginning of the whole vector, of length one again") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json whole = (co_await simulated.Ask(Embed(simulated, "x")))["data"][0]["embedding"];
    const Json part =
        (co_await simulated.Ask(Embed(simulated, "x", {{"dimensions", 4}})))["data"][0]["embedding"];
    REQUIRE(part.size() == 4);
    CHECK(LengthOf(part) == Approx(1.0).epsilon(1e-5));
    CHECK(part[1].get<double>() / part[0].get<double>() ==
          Approx(whole[1].get<double>() / whole[0].get<double>()).epsilon(1e-4));
  });
}

TEST_CASE("in base64 an embedding is the same numbers as little-endian floats") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json two = {{"dimensions", 2}};
    const Json numbers = (co_await simulated.Ask(Embed(simulated, "x", two)))["data"][0]["embedding"];
    Json more = two;
    more["encoding_format"] = "base64";
    const std::string text = (co_await simulated.Ask(Embed(simulated, "x", more)))["data"][0]["embedding"];
    REQUIRE(text.size() == 12);
    std::string bits;
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    uint32_t kept = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto digit = digits.find(text[i]);
      kept = kept << 6 | static_cast<uint32_t>(digit == std::string_view::npos ? 0 : digit);
      if (i % 4 != 3) continue;
      for (const int shift : {16, 8, 0}) bytes += static_cast<char>(kept >> shift & 0xFF);
      kept = 0;
    }
    for (size_t i = 0; i < 2; ++i) {
      uint32_t little = 0;
      for (size_t k = 4; k-- > 0;) little = little << 8 | static_cast<unsigned char>(bytes[i * 4 + k]);
      float value = 0;
      std::memcpy(&value, &little, sizeof value);
      CHECK(value == numbers[i].get<float>());
    }
  });
}

TEST_CASE("tokens are an input as texts are") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json one = co_await simulated.Ask(Embed(simulated, {1, 2, 3}));
    CHECK(one["data"].size() == 1);
    CHECK(one["usage"]["total_tokens"] == 3);
    const Json two = co_await simulated.Ask(Embed(simulated, {{1, 2, 3}, {4}}));
    REQUIRE(two["data"].size() == 2);
    CHECK(two["data"][0]["embedding"] == one["data"][0]["embedding"]);
  });
}

TEST_CASE("a text completion answers each prompt, as often as asked") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json body = {{"model", "m"}, {"prompt", {"first", "second"}}, {"n", 2}, {"echo", true}};
    const Json reply = co_await simulated.Ask(CallOf(simulated, "/v1/completions", body));
    CHECK(reply["object"] == "text_completion");
    REQUIRE(reply["choices"].size() == 4);
    CHECK(reply["choices"][3]["index"] == 3);
    CHECK(reply["choices"][0]["text"] ==
          R"(first[simulated openai m] You said: "first" (messages=1 echo=true n=2))");
    CHECK(reply["choices"][2]["text"].get<std::string>().find("second[simulated") == 0);
    CHECK(reply["choices"][2]["finish_reason"] == "stop");
    CHECK(reply["usage"]["prompt_tokens"] == 2);
  });
}

TEST_CASE("a token count is the words of the whole conversation") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = AnthropicBody("m", "one two three");
    body.erase("max_tokens");
    body["system"] = "be brief";
    HttpCall call = simulated.AnthropicCall(body);
    call.url += "/count_tokens";
    CHECK(co_await simulated.Ask(call) == Json({{"input_tokens", 5}}));
  });
}

TEST_CASE("the other endpoints are where the provider has them, and nowhere else") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    const Json input = {{"model", "m"}, {"input", "x"}};
    const Json prompt = {{"model", "m"}, {"prompt", "x"}};
    (void)co_await simulated.Ask(CallOf(simulated, "/gemini/v1beta/openai/embeddings", input));
    (void)co_await simulated.Ask(CallOf(simulated, "/openrouter/api/v1/completions", prompt));
    HttpCall azure =
        CallOf(simulated, "/azure/openai/deployments/small/embeddings?api-version=1", {{"input", "x"}});
    azure.headers[1] = {"api-key", "k"};
    CHECK((co_await simulated.Ask(azure))["model"] == "small");
    (void)co_await simulated.Ask(CallOf(simulated, "/groq/openai/v1/embeddings", input), 404);
    (void)co_await simulated.Ask(CallOf(simulated, "/mistral/v1/completions", prompt), 404);
  });
}

TEST_CASE("what a request marks as worth keeping is counted as written, or as read when it says so") {
  WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    Json body = AnthropicBody("m", "hello");
    body["system"] = Json::parse(
        R"([{"type": "text", "text": "a b c", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "d"}])");
    Json usage = (co_await simulated.Ask(simulated.AnthropicCall(body)))["usage"];
    CHECK(usage["input_tokens"] == 2);
    CHECK(usage["cache_creation_input_tokens"] == 3);
    body["messages"][0]["content"] = "cache:hit";
    usage = (co_await simulated.Ask(simulated.AnthropicCall(body)))["usage"];
    CHECK(usage["cache_read_input_tokens"] == 3);
    CHECK(usage["cache_creation_input_tokens"] == 0);
  });
}

}  // namespace llm_router
