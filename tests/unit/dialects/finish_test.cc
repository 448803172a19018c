#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "router/dialects/dialect.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;

const Dialect& OpenAi() { return *FindDialect("openai.chat"); }
const Dialect& Anthropic() { return *FindDialect("anthropic.messages"); }

std::string OpenAiReply(std::string_view finish) {
  return fmt::format(R"({{"choices": [{{"message": {{"content": "x"}}, "finish_reason": {}}}]}})", finish);
}
std::string AnthropicReply(std::string_view finish) {
  return fmt::format(R"({{"content": [{{"type": "text", "text": "x"}}], "stop_reason": {}}})", finish);
}
std::string FinishAsOpenAi(const ChatReply& reply) {
  Warnings warnings;
  return Json::parse(OpenAi().RenderReply(reply, warnings))["choices"][0]["finish_reason"];
}
std::string FinishAsAnthropic(const ChatReply& reply) {
  Warnings warnings;
  return Json::parse(Anthropic().RenderReply(reply, warnings))["stop_reason"];
}

struct Row {
  const char* written;
  Finish finish;
  const char* openai;
  const char* anthropic;
};

TEST_CASE("every finish reason of OpenAI is read, and written in both dialects") {
  for (const Row& row : {Row{"\"stop\"", Finish::kStop, "stop", "end_turn"},
                         Row{"\"length\"", Finish::kLength, "length", "max_tokens"},
                         Row{"\"tool_calls\"", Finish::kToolCalls, "tool_calls", "tool_use"},
                         Row{"\"function_call\"", Finish::kToolCalls, "tool_calls", "tool_use"},
                         Row{"\"content_filter\"", Finish::kContentFilter, "content_filter", "refusal"},
                         Row{"\"eos\"", Finish::kUnknown, "stop", "end_turn"},
                         Row{"null", Finish::kUnknown, "stop", "end_turn"}}) {
    INFO(row.written);
    const auto reply = OpenAi().ParseReply(OpenAiReply(row.written));
    REQUIRE(reply.ok());
    CHECK(reply->finish == row.finish);
    CHECK(FinishAsOpenAi(*reply) == row.openai);
    CHECK(FinishAsAnthropic(*reply) == row.anthropic);
  }
}

TEST_CASE("every stop reason of Anthropic is read, and written in both dialects") {
  for (const Row& row : {Row{"\"end_turn\"", Finish::kStop, "stop", "end_turn"},
                         Row{"\"max_tokens\"", Finish::kLength, "length", "max_tokens"},
                         Row{"\"model_context_window_exceeded\"", Finish::kLength, "length", "max_tokens"},
                         Row{"\"stop_sequence\"", Finish::kStopSequence, "stop", "stop_sequence"},
                         Row{"\"tool_use\"", Finish::kToolCalls, "tool_calls", "tool_use"},
                         Row{"\"pause_turn\"", Finish::kPause, "stop", "pause_turn"},
                         Row{"\"refusal\"", Finish::kRefusal, "content_filter", "refusal"},
                         Row{"\"new_reason\"", Finish::kUnknown, "stop", "end_turn"}}) {
    INFO(row.written);
    const auto reply = Anthropic().ParseReply(AnthropicReply(row.written));
    REQUIRE(reply.ok());
    CHECK(reply->finish == row.finish);
    CHECK(FinishAsOpenAi(*reply) == row.openai);
    CHECK(FinishAsAnthropic(*reply) == row.anthropic);
  }
}

TEST_CASE("a reply that calls tools says so even where its provider did not") {
  const auto reply = OpenAi().ParseReply(R"({"choices": [{"finish_reason": "stop", "message": {"tool_calls": [
      {"function": {"name": "now", "arguments": "{}"}}]}}]})");
  REQUIRE(reply.ok());
  CHECK_FALSE(std::get<ToolCallPart>(reply->parts.at(0)).id.empty());
  CHECK(FinishAsOpenAi(*reply) == "tool_calls");
  CHECK(FinishAsAnthropic(*reply) == "tool_use");
}

TEST_CASE("a function call of old comes back as a tool call") {
  const auto reply = OpenAi().ParseReply(R"({"choices": [{"finish_reason": "function_call", "message":
      {"content": null, "function_call": {"name": "now", "arguments": "{}"}}}]})");
  REQUIRE(reply.ok());
  REQUIRE(reply->parts.size() == 1);
  CHECK(std::get<ToolCallPart>(reply->parts[0]).name == "now");
  CHECK_FALSE(std::get<ToolCallPart>(reply->parts[0]).id.empty());
}

TEST_CASE("a reply of no text is a reply, and one without an id gets one") {
  ChatReply reply;
  Warnings warnings;
  const Json openai = Json::parse(OpenAi().RenderReply(reply, warnings));
  CHECK(openai["choices"][0]["message"]["content"] == "");
  CHECK(openai["id"].get<std::string>().starts_with("chatcmpl-"));
  CHECK(openai["created"].get<int64_t>() > 1'700'000'000);
  const Json anthropic = Json::parse(Anthropic().RenderReply(reply, warnings));
  CHECK(anthropic["content"] == Json::array());
  CHECK(anthropic["id"].get<std::string>().starts_with("msg_"));
}

TEST_CASE("bytes of a provider that are no UTF-8 do not make its reply unsayable") {
  ChatReply reply;
  reply.parts = {TextPart{"caf\xe9"}};
  Warnings warnings;
  CHECK(Json::accept(OpenAi().RenderReply(reply, warnings)));
  CHECK(Json::accept(Anthropic().RenderReply(reply, warnings)));
}

}  // namespace
}  // namespace llm_router
