// What a relay must see although it reads as little as it can.
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/dialects/streaming.h"

namespace llm_router {
namespace {

const Dialect& OpenAi() { return *FindDialect("openai.chat"); }
const Dialect& Anthropic() { return *FindDialect("anthropic.messages"); }

// A relay that keeps nothing and has seen output.
std::unique_ptr<ReplyRelay> Running(bool usage = false) {
  auto relay = OpenAi().NewRelay({.usage = usage, .keep_whole = false});
  REQUIRE(relay->Watch({"", R"({"model":"m","choices":[{"index":0,"delta":{"content":"x"}}]})", ""}).ok());
  REQUIRE(relay->has_output());
  return relay;
}

TEST_CASE("usage is seen however its chunk is spelled, and is there for those who asked for it") {
  for (const char* chunk :
       {R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})",
        R"({ "choices" : [ ] , "usage" : { "prompt_tokens" : 3, "completion_tokens": 4 } })",
        R"({"choices":[],"us\u0061ge":{"prompt_tokens":3,"completion_tokens":4}})",
        R"({"usage":{"completion_tokens":4,"prompt_tokens":3},"choices":null})",
        R"({"usage":{"completion_tokens":4,"prompt_tokens":3}})"}) {
    for (const bool usage : {false, true}) {
      INFO(chunk);
      const auto relay = Running(usage);
      REQUIRE(relay->Watch({"", chunk, ""}).ok());
      REQUIRE(relay->usage());
      CHECK(relay->usage()->input_tokens == 3);
      CHECK(relay->usage()->output_tokens == 4);
      CHECK(relay->forwards() == usage);
    }
  }
}

TEST_CASE("a chunk that says something is forwarded, with usage or without") {
  for (const char* chunk :
       {R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}})",
        R"({"choices":[{"index":0,"delta":{"content":"\"usage\":{}"}}],"usage":null})",
        R"({"choices":[{"index":0,"delta":{"content":"usage"}}],"usage" :  null})",
        R"({"choices":[],"prompt_filter_results":[]})", "", "[DONE]"}) {
    INFO(chunk);
    const auto relay = Running();
    CHECK(relay->Watch({"", chunk, ""}).ok());
    CHECK(relay->forwards());
  }
}

TEST_CASE("an error is seen however it is spelled, and only where it is one") {
  for (const char* chunk : {R"({"error":{"message":"m","code":429}})", R"({ "error" : {"code":"429"} })",
                            R"({"\u0065rror":{"code":429}})", R"({"choices":[],"error":{"code":429}})"}) {
    INFO(chunk);
    CHECK(FaultOf(Running()->Watch({"", chunk, ""})) == Fault::kProviderBusy);
  }
  for (const char* chunk :
       {R"({"choices":[{"delta":{"content":"error"}}]})", R"({"choices":[],"error":null})",
        R"({"choices":[{"delta":{"content":"\"error\":{}"}}]})"}) {
    INFO(chunk);
    CHECK(Running()->Watch({"", chunk, ""}).ok());
  }
}

TEST_CASE("what is no frame of the dialect is a bad reply for a relay and a parser") {
  for (const char* chunk : {"<html>", "{", "[1]", "x", R"({"choices":{}})", R"({"choices":[{"delta":1}]})"}) {
    INFO(chunk);
    const SseFrame frame{"", chunk, ""};
    CHECK(FaultOf(OpenAi().NewRelay({})->Watch(frame)) == Fault::kProviderBadReply);
    std::vector<ReplyEvent> events;
    CHECK(FaultOf(OpenAi().NewParser()->Read(frame, events)) == Fault::kProviderBadReply);
  }
  for (const char* event : {"<html>", "{}", R"({"type":"message_start"})", R"({"type":"message_stop"})",
                            R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}})"}) {
    INFO(event);
    std::vector<ReplyEvent> events;
    CHECK(FaultOf(Anthropic().NewParser()->Read({"", event, ""}, events)) == Fault::kProviderBadReply);
  }
}

TEST_CASE("an Anthropic relay reads what its event does not name") {
  const auto relay = Anthropic().NewRelay({.usage = true, .keep_whole = false});
  REQUIRE(relay->Watch({"", R"({"type":"message_start","message":{"model":"m"}})", ""}).ok());
  REQUIRE(relay->Watch({"", R"({"type":"content_block_delta","index":0,"delta":{}})", ""}).ok());
  CHECK(relay->has_output());
  CHECK(relay->model() == "m");
  CHECK(FaultOf(relay->Watch(
            {"content_block_delta", R"({"type":"error","error":{"type":"overloaded_error"}})", ""})) ==
        Fault::kProviderBusy);
  REQUIRE(relay->Watch({"", R"({"type":"message_stop"})", ""}).ok());
  CHECK(relay->complete());
}

TEST_CASE("text is relayed piece by piece until an empty one") {
  const auto relay = FindDialect("text")->NewRelay({});
  for (const char* piece : {"Hel", "lo"}) {
    REQUIRE(relay->Watch({"", piece, piece}).ok());
    CHECK(relay->forwards());
    CHECK_FALSE(relay->complete());
  }
  REQUIRE(relay->Watch({}).ok());
  CHECK(relay->complete());
  CHECK_FALSE(relay->forwards());
  CHECK(relay->TakeWhole() == "Hello");
}

}  // namespace
}  // namespace llm_router
