#include "router/dialects/json_splice.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

const Dialect& OpenAi() { return *FindDialect("openai.chat"); }

TEST_CASE("only the model changes, every other byte stays") {
  struct Row {
    const char* body;
    const char* expected;
  };
  for (const Row& row : {
           Row{R"({"model":"a","x":1})", R"({"model":"b","x":1})"},
           Row{R"({ "x" : [ 1.10, {"model":"no"} ] ,  "model" : "a" } )",
               R"({ "x" : [ 1.10, {"model":"no"} ] ,  "model" : "b" } )"},
           Row{R"({"x":"}\"model\":{","model":null})", R"({"x":"}\"model\":{","model":"b"})"},
           Row{R"({"mod\u0065l":"a"})", R"({"mod\u0065l":"b"})"},
           Row{R"({"y":"é\\","model":"\u0061"})", R"({"y":"é\\","model":"b"})"},
           Row{R"({"x":1})", R"({"model":"b","x":1})"},
           Row{"\n{ }\n", "\n{\"model\":\"b\" }\n"},
           Row{"\xEF\xBB\xBF{\"model\":\"a\"}", "\xEF\xBB\xBF{\"model\":\"b\"}"},
       }) {
    INFO(row.body);
    const std::string spliced = OpenAi().WithModel(row.body, "b", false);
    CHECK(spliced == row.expected);
    CHECK(TopLevelValue(spliced, "model") == R"("b")");
  }
}

TEST_CASE("a model is written as a JSON string, whatever is in it") {
  CHECK(OpenAi().WithModel("{}", "a\"\\\n", false) == R"({"model":"a\"\\\n"})");
}

TEST_CASE("a body whose top level is not one of plain members is refused") {
  struct Row {
    const char* body;
    const char* error;
  };
  constexpr const char* kMust = " It must be an OpenAI chat completion request, a JSON object.";
  for (const Row& row : {
           Row{R"({"model":"a","model":"b"})", "the body has the duplicate key \"model\"; send it once."},
           Row{R"({"x":1,"\u0078":2})", "the body has the duplicate key \"x\"; send it once."},
           Row{"[]", "the body is not a JSON object."},
           Row{"", "the body is empty."},
           Row{"{\"x\":\"caf\xe9\"}", "the body is not valid UTF-8 (byte 10)."},
           Row{"{\"x\":1", "the body is not valid JSON: it ends too early, after 6 bytes."},
           Row{"{\"x\":1}}", "the body is not valid JSON: error at byte 8."},
       }) {
    INFO(row.body);
    const auto status = OpenAi().ParseRequest(row.body).status();
    CHECK(FaultOf(status) == Fault::kInvalidRequest);
    CHECK(MessageOf(status) == std::string(row.error) + kMust);
  }
}

// The walk is only given what was validated, but must not leave the text in any case.
TEST_CASE("a walk over what is no JSON ends within the text") {
  for (const char* text :
       {"", "{", "{\"", "{\"a", "{\"a\\", "{\"a\"", "{\"a\":", "{\"a\":[", "{\"a\":\"\\", "}", "x"}) {
    INFO(text);
    TopLevelValue(text, "model");
    CHECK_FALSE(WithTopLevelValue(text, "model", "1").empty());
  }
}

TEST_CASE("a body is made to ask for a stream with its usage, or for none, and keeps the rest") {
  const Dialect& anthropic = *FindDialect("anthropic.messages");
  struct Case {
    const char* body;
    const char* streamed;
    const char* whole;
  };
  for (const Case& row : {
           Case{R"({"model":"m"})", R"({"stream_options":{"include_usage":true},"stream":true,"model":"m"})",
                R"({"model":"m"})"},
           Case{R"({"model":"m", "stream": true})",
                R"({"stream_options":{"include_usage":true},"model":"m", "stream": true})",
                R"({"model":"m", "stream": false})"},
           Case{R"({"model":"m","stream":false,"stream_options":{"x": 1, "include_usage":false}})",
                R"({"model":"m","stream":true,"stream_options":{"x": 1, "include_usage":true}})",
                R"({"model":"m","stream":false,"stream_options":null})"},
           Case{R"({"model":"m","stream":null,"stream_options":null})",
                R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})",
                R"({"model":"m","stream":null,"stream_options":null})"},
       }) {
    INFO(row.body);
    CHECK(OpenAi().WithModel(row.body, "m", true) == row.streamed);
    CHECK(OpenAi().WithModel(row.body, "m", false) == row.whole);
  }
  CHECK(anthropic.WithModel(R"({"model":"m"})", "m", true) == R"({"stream":true,"model":"m"})");
  CHECK(anthropic.WithModel(R"({"model":"m","stream":true})", "m", false) ==
        R"({"model":"m","stream":false})");
}

}  // namespace
}  // namespace llm_router
