#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

struct Row {
  std::string body;
  const char* error;
};

void CheckRows(std::string_view dialect, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.body.substr(0, 200));
    const auto chat = FindDialect(dialect)->ParseRequest(row.body);
    CHECK(FaultOf(chat.status()) == Fault::kInvalidRequest);
    CHECK(MessageOf(chat.status()) == row.error);
  }
}

// A request of one user message, with these further fields.
std::string With(std::string_view fields) {
  return fmt::format(R"({{"messages": [{{"role": "user", "content": "x"}}], {}}})", fields);
}
std::string Messages(std::string_view list) { return fmt::format(R"({{"messages": {}}})", list); }

TEST_CASE("a request of OpenAI's with a mistake is refused with the path of the mistake") {
  constexpr const char* kList = "messages: must be a list of at least one message";
  constexpr const char* kContent = "messages[0].content: must be a string or a list of parts";
  constexpr const char* kChoice = "tool_choice: must be auto, none, required or an object with a type";
  CheckRows(
      "openai.chat",
      {{"{}", kList},
       {Messages("null"), kList},
       {Messages("[]"), kList},
       {Messages("{}"), kList},
       {Messages("[1]"), "messages[0]: must be an object"},
       {Messages("[{}]"), "messages[0].role: must be system, developer, user, assistant or tool"},
       {Messages(R"([{"role": 1}])"), "messages[0].role: must be a string"},
       {Messages(R"([{"role": "bot", "content": "x"}])"),
        "messages[0].role: must be system, developer, user, assistant or tool"},
       {Messages(R"([{"role": "user"}])"), kContent},
       {Messages(R"([{"role": "user", "content": 7}])"), kContent},
       {Messages(R"([{"role": "user", "content": [7]}])"),
        "messages[0].content[0]: must be an object with a type"},
       {Messages(R"([{"role": "user", "content": [{"type": "text"}]}])"),
        "messages[0].content[0].text: must be a string"},
       {Messages(R"([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}])"),
        "messages[0].content[0].image_url: must be an object"},
       {Messages(
            R"([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]}])"),
        "messages[0].content[0].image_url.url: must be data:<media type>;base64,<data> or a web address"},
       {Messages(R"([{"role": "tool", "content": "x"}])"),
        "messages[0].tool_call_id: must be a string that is not empty"},
       {Messages(R"([{"role": "function", "name": "f", "content": "x"}])"),
        "messages[0].role: is function, but no assistant message before it has a function_call"},
       {Messages(R"([{"role": "assistant", "tool_calls": {}}])"), "messages[0].tool_calls: must be a list"},
       {Messages(R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}])"),
        "messages[0].tool_calls[0].id: must be a string that is not empty"},
       {Messages(R"([{"role": "assistant", "tool_calls": [{"id": "1"}]}])"),
        "messages[0].tool_calls[0].function: must be an object with a name"},
       {Messages(
            R"([{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {}}}]}])"),
        "messages[0].tool_calls[0].function.arguments: must be a string"},
       {With(R"("model": 4)"), "model: must be a string"},
       {With(R"("stream": "yes")"), "stream: must be true or false"},
       {With(R"("temperature": "hot")"), "temperature: must be a number"},
       {With(R"("max_tokens": 1.5)"), "max_tokens: must be a whole number"},
       {With(R"("max_tokens": 0)"), "max_tokens: must be at least 1"},
       {With(R"("max_completion_tokens": -1)"), "max_completion_tokens: must be at least 1"},
       {With(R"("max_tokens": 18446744073709551615)"), "max_tokens: must be a whole number"},
       {With(R"("n": 0)"), "n: must be at least 1"},
       {With(R"("stop": 1)"), "stop: must be a string or a list of strings"},
       {With(R"("stop": [1])"), "stop[0]: must be a string"},
       {With(R"("tools": [{}])"), "tools[0]: must be an object with a type"},
       {With(R"("tools": [{"type": "function"}])"), "tools[0].function: must be an object with a name"},
       {With(R"("tools": [{"type": "function", "function": {"name": "f", "parameters": []}}])"),
        "tools[0].function.parameters: must be an object"},
       {With(R"("tool_choice": "maybe")"), kChoice},
       {With(R"("tool_choice": 1)"), kChoice},
       {With(R"("functions": 1)"), "functions: must be a list"},
       {With(R"("function_call": 1)"), "function_call: must be auto, none or an object with a name"},
       {With(R"("response_format": "json")"),
        "response_format.type: must be text, json_object or json_schema"},
       {With(R"("response_format": {"type": "json_schema"})"),
        "response_format.json_schema: must be an object"},
       {With(R"("response_format": {"type": "json_schema", "json_schema": {}})"),
        "response_format.json_schema.name: must be a string that is not empty"}});
}

TEST_CASE("a request of Anthropic's with a mistake is refused with the path of the mistake") {
  constexpr const char* kList = "messages: must be a list of at least one message";
  constexpr const char* kBlocks = "messages[0].content: must be a string or a list of content blocks";
  const auto block = [](std::string_view text) {
    return Messages(fmt::format(R"([{{"role": "user", "content": [{}]}}])", text));
  };
  CheckRows(
      "anthropic.messages",
      {{"[]", "the body is not a JSON object. It must be an Anthropic Messages request, a JSON object."},
       {"{}", kList},
       {Messages("[]"), kList},
       {Messages("[[]]"), "messages[0]: must be an object"},
       {Messages(R"([{"role": "tool", "content": "x"}])"), "messages[0].role: must be user or assistant"},
       {Messages(R"([{"role": "user"}])"), kBlocks},
       {Messages(R"([{"role": "user", "content": {}}])"), kBlocks},
       {block("{}"), "messages[0].content[0]: must be an object with a type"},
       {block(R"({"type": "text", "text": 1})"), "messages[0].content[0].text: must be a string"},
       {block(R"({"type": "image"})"), "messages[0].content[0].source: must be an object with a type"},
       {block(R"({"type": "image", "source": {"type": "base64", "data": "x"}})"),
        "messages[0].content[0].source.media_type: must be a string that is not empty"},
       {block(R"({"type": "tool_use", "id": "1", "name": "f", "input": "{}"})"),
        "messages[0].content[0].input: must be an object"},
       {block(R"({"type": "tool_result"})"),
        "messages[0].content[0].tool_use_id: must be a string that is not empty"},
       {block(
            R"({"type": "tool_result", "tool_use_id": "1", "content": [{"type": "tool_result", "tool_use_id": "2"}]})"),
        "messages[0].content[0].content: must hold text and images only"},
       {With(R"("system": 1)"), "system: must be a string or a list of content blocks"},
       {With(R"("max_tokens": -1)"), "max_tokens: must not be negative"},
       {With(R"("max_tokens": "9")"), "max_tokens: must be a whole number"},
       {With(R"("stop_sequences": "a")"), "stop_sequences: must be a list"},
       {With(R"("metadata": "u")"), "metadata: must be an object"},
       {With(R"("tools": [{"name": "f"}])"), "tools[0].input_schema: must be an object"},
       {With(R"("tool_choice": "auto")"),
        "tool_choice: must be an object whose type is auto, any, tool or none"},
       {With(R"("output_config": {"format": {"type": "xml"}})"),
        "output_config.format.type: must be json_schema"}});
}

TEST_CASE("a body nested too deep, or of too many values or keys, is refused without being built") {
  std::string keys = "{\"k\": 0";
  for (int i = 0; i < 1000; ++i) keys += fmt::format(",\"k{}\": 0", i);
  std::string zeros = "{\"x\": [0";
  for (int i = 0; i < 1'000'000; ++i) zeros += ",0";
  const std::string must = " It must be an OpenAI chat completion request, a JSON object.";
  const auto error = [](const std::string& body) {
    const Dialect& openai = *FindDialect("openai.chat");
    CHECK(FaultOf(openai.ParseReply(body).status()) == Fault::kProviderBadReply);
    return std::string(MessageOf(openai.ParseRequest(body).status()));
  };
  CHECK(error("{\"x\": " + std::string(100'000, '[')) == "the body is nested deeper than 256 levels." + must);
  CHECK(error("{\"x\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}") ==
        "the body is nested deeper than 256 levels." + must);
  CHECK(error(keys + "}") == "the body has more than 1000 top-level keys." + must);
  CHECK(error(zeros + "]}") == "the body holds more than 1000000 JSON values." + must);
}

TEST_CASE("a conversation of which nothing can be sent is refused, not sent empty") {
  const auto chat =
      FindDialect("openai.chat")->ParseRequest(Messages(R"([{"role": "system", "content": "Be kind."}])"));
  REQUIRE(chat.ok());
  Warnings warnings;
  const auto body = FindDialect("anthropic.messages")->RenderRequest(*chat, warnings);
  CHECK(FaultOf(body.status()) == Fault::kInvalidRequest);
  CHECK(MessageOf(body.status()) ==
        "messages: there must be a user message that is not empty (of a kind Anthropic can take)");
}

TEST_CASE("unknown fields are named, but never more than a few of them") {
  std::string fields = "\"logit_bias\": null";
  for (int i = 0; i < 900; ++i) fields += fmt::format(",\"unknown_{}\": 1", i);
  const auto chat = FindDialect("openai.chat")->ParseRequest(With(fields));
  REQUIRE(chat.ok());
  CHECK(chat->unknown.size() == 32);
  CHECK(chat->unknown.front() == "unknown_0");
  CHECK(chat->unknown.back() == "more of the kind");
}

TEST_CASE("of equal keys further down the last counts") {
  const auto chat = FindDialect("openai.chat")
                        ->ParseRequest(Messages(R"([{"role": "bot", "role": "user", "content": "x"}])"));
  CHECK(chat.ok());
}

TEST_CASE("a schema whose keys repeat, or are many, arrives as it was sent") {
  std::string many;
  for (int i = 0; i < 1'100; ++i) many += fmt::format(R"("key-{}":{{}},)", i);
  for (const std::string& schema : {std::string(R"({"type":"object","required":["a"],"required":["b"]})"),
                                    fmt::format(R"({{{}"last":{{}}}})", many)}) {
    const auto chat =
        FindDialect("openai.chat")
            ->ParseRequest(With(fmt::format(
                R"("response_format": {{"type": "json_schema", "json_schema": {{"name": "n", "schema": {}}}}})",
                schema)));
    REQUIRE(chat.ok());
    for (const char* dialect : {"openai.chat", "anthropic.messages"}) {
      Warnings warnings;
      const auto rendered = FindDialect(dialect)->RenderRequest(*chat, warnings);
      REQUIRE(rendered.ok());
      CHECK(rendered->find(schema) != rendered->npos);
    }
  }
}

}  // namespace
}  // namespace llm_router
