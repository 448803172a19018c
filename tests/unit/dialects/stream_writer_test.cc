#include <nlohmann/json.hpp>

#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/dialects/streaming.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;

const Dialect& OpenAi() { return *FindDialect("openai.chat"); }
const Dialect& Anthropic() { return *FindDialect("anthropic.messages"); }

ReplyBegin Begun() { return {"r1", "m", 1'760'000'000, std::nullopt}; }
ReplyEnd Ended(Finish finish = Finish::kStop) { return {finish, {}, ChatUsage{12, 5, 4, {}, {}}}; }
PartBegin Call(size_t index, const char* id) { return {index, ToolCallPart{id, "weather", {}}}; }

// "start 0 tool_use a", "0 {", "stop 0", ...
std::vector<std::string> Told(const std::vector<KeptFrame>& frames) {
  std::vector<std::string> told;
  for (const KeptFrame& frame : frames) {
    const Json event = Json::parse(frame.data);
    const std::string index = event.contains("index") ? event["index"].dump() : "";
    if (frame.event == "content_block_start") {
      const Json& block = event["content_block"];
      told.push_back("start " + index + " " + block["type"].get<std::string>() + " " +
                     block.value("id", "-"));
    } else if (frame.event == "content_block_delta") {
      const Json& delta = event["delta"];
      told.push_back(index + " " +
                     delta.value("text", delta.value("partial_json", delta.value("thinking", ""))));
    } else if (frame.event == "content_block_stop") {
      told.push_back("stop " + index);
    }
  }
  return told;
}

TEST_CASE("tool calls whose arguments interleave become blocks one after the other") {
  const std::vector<ReplyEvent> events = {Begun(),
                                          PartBegin{0, TextPart()},
                                          PartDelta{0, "I look"},
                                          Call(1, "a"),
                                          PartDelta{1, "{\"a\":"},
                                          Call(2, "b"),
                                          PartDelta{2, "{\"b\":"},
                                          PartDelta{1, "\"}\""},
                                          PartDelta{2, "[2"},
                                          PartDelta{1, "}"},
                                          PartDelta{2, "]}"},
                                          Ended()};
  Warnings warnings;
  const auto frames = FramesOf(Written(Anthropic(), events, {}, warnings));
  CheckAnthropicFrames(frames);
  CHECK(Told(frames) == std::vector<std::string>{"start 0 text -", "0 I look", "stop 0", "start 1 tool_use a",
                                                 "1 {\"a\":", "1 \"}\"", "1 }", "stop 1",
                                                 "start 2 tool_use b", "2 {\"b\":[2", "2 ]}", "stop 2"});
  CHECK(warnings.empty());
}

TEST_CASE("a call is written as its arguments come, and the next as soon as they are whole") {
  Warnings warnings;
  const auto writer = Anthropic().NewWriter({}, warnings);
  writer->Write(Begun());
  CHECK(writer->Write(Call(0, "a")).find("content_block_start") != std::string::npos);
  CHECK(writer->Write(PartDelta{0, "{}"}).find("input_json_delta") != std::string::npos);
  CHECK(writer->Write(Call(1, "b")).find("content_block_stop") != std::string::npos);
  CHECK(writer->Write(PartDelta{1, "{"}).find("input_json_delta") != std::string::npos);
  CHECK(writer->Write(PartBegin{2, TextPart()}).empty());
  CHECK(writer->Write(PartDelta{2, "held"}).empty());
  CHECK(writer->Write(Ended()).find("held") != std::string::npos);
  CHECK(warnings == Warnings{"arguments of a tool call are no JSON object"});
}

TEST_CASE("a text that goes on after a call gets a block of its own") {
  const std::vector<ReplyEvent> events = {Begun(),      PartBegin{0, TextPart()}, PartDelta{0, "one"},
                                          Call(1, "a"), PartDelta{1, "{}"},       PartDelta{0, " two"},
                                          Ended()};
  Warnings warnings;
  const auto frames = FramesOf(Written(Anthropic(), events, {}, warnings));
  CheckAnthropicFrames(frames);
  CHECK(Told(frames) == std::vector<std::string>{"start 0 text -", "0 one", "stop 0", "start 1 tool_use a",
                                                 "1 {}", "stop 1", "start 2 text -", "2  two", "stop 2"});
}

TEST_CASE("Anthropic's frames carry the usage, which counts cached tokens apart, and why the reply ended") {
  Warnings warnings;
  const auto frames = FramesOf(Written(
      Anthropic(), std::vector<ReplyEvent>{Begun(), Call(0, "a"), Ended(Finish::kStop)}, {}, warnings));
  CheckAnthropicFrames(frames);
  const Json delta = Json::parse(frames[frames.size() - 2].data);
  CHECK(delta["usage"] == Json{{"input_tokens", 8}, {"output_tokens", 5}, {"cache_read_input_tokens", 4}});
  CHECK(delta["delta"]["stop_reason"] == "tool_use");
}

TEST_CASE("usage goes to an OpenAI caller only when it asked for it") {
  const std::vector<ReplyEvent> events = {Begun(), PartBegin{0, TextPart()}, PartDelta{0, "x"}, Ended()};
  for (const bool usage : {false, true}) {
    Warnings warnings;
    const auto frames = FramesOf(Written(OpenAi(), events, {.usage = usage, .keep_whole = true}, warnings));
    CheckOpenAiFrames(frames, usage);
    CHECK(frames.size() == (usage ? 5 : 4));
    if (!usage) continue;
    const Json last = Json::parse(frames[3].data);
    CHECK(last["choices"] == Json::array());
    CHECK(last["usage"]["total_tokens"] == 17);
  }
}

TEST_CASE("an OpenAI caller is told what proves a thought, and that it is lost") {
  const std::vector<ReplyEvent> events = {Begun(),
                                          PartBegin{0, ThinkingPart()},
                                          PartDelta{0, "hm"},
                                          PartSignature{0, "sig"},
                                          PartBegin{1, ThinkingPart{{}, {}, "secret"}},
                                          Ended()};
  Warnings warnings;
  const auto frames = FramesOf(Written(OpenAi(), events, {}, warnings));
  CHECK(Json::parse(frames[1].data)["choices"][0]["delta"]["reasoning_content"] == "hm");
  CHECK(warnings == Warnings{"signature of thinking dropped", "redacted thinking dropped"});
}

TEST_CASE("text gets the answer's pieces, bare, and is told of what is no text") {
  const std::vector<ReplyEvent> events = {Begun(),
                                          PartBegin{0, ThinkingPart()},
                                          PartDelta{0, "hm"},
                                          PartBegin{1, TextPart()},
                                          PartDelta{1, "Hel"},
                                          PartDelta{1, "lo"},
                                          Call(2, "a"),
                                          PartDelta{2, "{}"},
                                          Ended(Finish::kLength)};
  Warnings warnings;
  CHECK(Written(*FindDialect("text"), events, {}, warnings) == "Hello");
  CHECK(warnings == Warnings{"thinking dropped", "tool calls dropped", "answer cut at max_tokens"});
}

TEST_CASE("a failure in the middle of a stream is one frame that its dialect's SDK raises") {
  const absl::Status failure = MakeFault(Fault::kProviderUnreachable, "the provider is gone: try again");
  const auto openai = FramesOf(OpenAi().ErrorFrame(failure));
  REQUIRE(openai.size() == 1);
  const Json error = Json::parse(openai[0].data)["error"];
  for (const char* key : {"message", "type", "param", "code"}) CHECK(error.contains(key));
  const auto anthropic = FramesOf(Anthropic().ErrorFrame(failure));
  REQUIRE(anthropic.size() == 1);
  CHECK(anthropic[0].event == "error");
  CHECK(Json::parse(anthropic[0].data)["type"] == "error");
  CHECK(FindDialect("text")->ErrorFrame(failure).empty());
  // Another llm-router reads it back as what it was.
  CHECK(FaultOf(Parsed(OpenAi(), openai).status) == Fault::kProviderUnreachable);
  CHECK(FaultOf(Parsed(Anthropic(), anthropic).status) == Fault::kProviderUnreachable);
}

}  // namespace
}  // namespace llm_router
