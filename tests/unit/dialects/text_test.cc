#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

const Dialect& Text() { return *FindDialect("text"); }

TEST_CASE("a prompt becomes one user message, word for word") {
  const auto chat = Text().ParseRequest(" Why is the sky blue?\n");
  REQUIRE(chat.ok());
  REQUIRE(chat->messages.size() == 1);
  CHECK(chat->messages[0].role == Role::kUser);
  CHECK(std::get<TextPart>(chat->messages[0].parts.at(0)).text == " Why is the sky blue?\n");
}

TEST_CASE("a prompt of nothing, or of bytes that are no text, is refused") {
  for (const char* body : {"", " ", "\r\n\t \v\f"}) {
    const auto chat = Text().ParseRequest(body);
    CHECK(FaultOf(chat.status()) == Fault::kInvalidRequest);
    CHECK(MessageOf(chat.status()) == "empty prompt: put the question into the body");
  }
  CHECK(MessageOf(Text().ParseRequest("caf\xe9!").status()) ==
        "the prompt is not valid UTF-8 (byte 4): send text as UTF-8");
}

TEST_CASE("a reply is its text; what is not text is named") {
  ChatReply reply;
  reply.parts = {TextPart{"It "}, ToolCallPart{"1", "look", "{}"}, TextPart{"scatters."}};
  reply.finish = Finish::kLength;
  reply.unknown = {"thinking blocks"};
  Warnings warnings;
  CHECK(Text().RenderReply(reply, warnings) == "It scatters.");
  CHECK(warnings == Warnings{"thinking blocks dropped", "answer cut at max_tokens", "tool calls dropped"});
}

TEST_CASE("a text query's model is in its tags, never in its body") {
  CHECK(Text().WithModel("{\"model\":\"a\"}", "b", false) == "{\"model\":\"a\"}");
}

TEST_CASE("the dialects are sorted by name and found by it") {
  std::string_view before;
  for (const Dialect* dialect : AllDialects()) {
    CHECK(before < dialect->name());
    before = dialect->name();
    CHECK(FindDialect(before) == dialect);
  }
  CHECK(FindDialect("openai.responses") == nullptr);
}

}  // namespace
}  // namespace llm_router
