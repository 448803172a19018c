// Streams of servers that imitate a provider, each in its way.
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/dialects/streaming.h"

namespace llm_router {
namespace {

const Dialect& OpenAi() { return *FindDialect("openai.chat"); }

// Chunks with these deltas, and an end.
ReadStream ReadDeltas(const std::vector<std::string>& deltas) {
  std::string stream;
  for (const std::string& delta : deltas)
    stream += SseText({}, R"({"id":"i","model":"m","choices":[{"index":0,"delta":)" + delta + "}]}");
  return Parsed(OpenAi(), FramesOf(stream + SseText({}, "[DONE]")));
}

std::vector<std::string> CallsOf(const ChatReply& reply) {
  std::vector<std::string> calls;
  for (const Part& part : reply.parts) {
    if (const auto* call = std::get_if<ToolCallPart>(&part))
      calls.push_back(call->id + " " + call->name + " " + call->arguments);
  }
  return calls;
}

TEST_CASE("tool calls are told apart by their number, and by their id where numbers repeat or are missing") {
  using Calls = std::vector<std::string>;
  CHECK(
      CallsOf(
          ReadDeltas(
              {R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}},{"index":1,"id":"b","function":{"name":"g","arguments":"["}}]})",
               R"({"tool_calls":[{"index":1,"function":{"arguments":"]"}},{"index":0,"function":{"arguments":"}"}}]})"})
              .Reply()) == Calls{"a f {}", "b g []"});
  CHECK(
      CallsOf(ReadDeltas({R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]})",
                          R"({"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}]})",
                          R"({"tool_calls":[{"index":0,"function":{"arguments":"}"}}]})"})
                  .Reply()) == Calls{"a f {}", "b g {}"});
  CHECK(CallsOf(ReadDeltas({R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]})",
                            R"({"tool_calls":[{"id":"b","function":{"name":"g","arguments":"{}"}}]})"})
                    .Reply()) == Calls{"a f {}", "b g {}"});
}

TEST_CASE("a call's name may come after its arguments, and a function call of old is a tool call") {
  CHECK(CallsOf(ReadDeltas({R"({"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{"}}]})",
                            R"({"tool_calls":[{"index":0,"function":{"name":"f","arguments":"}"}}]})"})
                    .Reply()) == std::vector<std::string>{"a f {}"});
  const ChatReply reply = ReadDeltas({R"({"function_call":{"name":"f","arguments":"{"}})",
                                      R"({"function_call":{"arguments":"}"}})"})
                              .Reply();
  CHECK(reply.finish == Finish::kToolCalls);
  REQUIRE(reply.parts.size() == 1);
  CHECK_FALSE(std::get<ToolCallPart>(reply.parts[0]).id.empty());
  CHECK(std::get<ToolCallPart>(reply.parts[0]).arguments == "{}");
}

TEST_CASE("a call that never gets a name, and a stream without a chunk, are bad replies") {
  const ReadStream nameless = ReadDeltas({R"({"tool_calls":[{"index":0,"id":"a","function":{}}]})"});
  CHECK(FaultOf(nameless.status) == Fault::kProviderBadReply);
  CHECK_FALSE(nameless.complete);
  CHECK(FaultOf(ReadDeltas({}).status) == Fault::kProviderBadReply);
}

TEST_CASE("a stream with more tool calls than any reply has is refused") {
  std::vector<std::string> deltas;
  for (int i = 0; i < 1100; ++i)
    deltas.push_back(R"({"tool_calls":[{"index":)" + std::to_string(i) + R"(,"function":{"name":"f"}}]})");
  const ReadStream read = ReadDeltas(deltas);
  CHECK(FaultOf(read.status) == Fault::kProviderBadReply);
  CHECK(MessageOf(read.status) == "the provider's stream has more than 1024 parts");
}

TEST_CASE("a thought under either of its names, or both, is read once") {
  for (const char* delta : {R"({"reasoning":"hm"})", R"({"reasoning_content":"hm"})",
                            R"({"reasoning_content":"hm","reasoning":"hm"})"}) {
    const ChatReply reply = ReadDeltas({delta, R"({"content":"yes"})"}).Reply();
    REQUIRE(reply.parts.size() == 2);
    CHECK(std::get<ThinkingPart>(reply.parts[0]).text == "hm");
    CHECK(std::get<TextPart>(reply.parts[1]).text == "yes");
  }
}

TEST_CASE("comments, pings and events yet to be invented are no part of a reply") {
  CHECK(Parsed(OpenAi(), FramesOf(": ping\n\n")).events.empty());
  const ReadStream read =
      Parsed(*FindDialect("anthropic.messages"),
             FramesOf("event: ping\ndata: {\"type\": \"ping\"}\n\nevent: new\ndata: {\"type\":\"new\"}\n\n"));
  CHECK(read.status.ok());
  CHECK(read.events.empty());
}

TEST_CASE("a streamed answer in plain text is its pieces, and an empty one is the end") {
  const auto parser = FindDialect("text")->NewParser();
  ReadStream read;
  for (const char* piece : {"Hel", "lo", ""}) REQUIRE(parser->Read({"", piece, piece}, read.events).ok());
  CHECK(parser->complete());
  CHECK(std::get<TextPart>(read.Reply().parts.at(0)).text == "Hello");
}

TEST_CASE("a signature of a block that is not thinking is noted, and nothing else") {
  const auto frame = [](std::string_view type, std::string_view rest) {
    return SseText(type, "{\"type\":\"" + std::string(type) + "\"" + std::string(rest) + "}");
  };
  const std::string stream =
      frame("message_start", R"(,"message":{"id":"i","model":"m"})") +
      frame("content_block_start", R"(,"index":0,"content_block":{"type":"text","text":""})") +
      frame("content_block_delta", R"(,"index":0,"delta":{"type":"text_delta","text":"yes"})") +
      frame("content_block_delta", R"(,"index":0,"delta":{"type":"signature_delta","signature":"s"})") +
      frame("content_block_stop", R"(,"index":0)") + frame("message_stop", "");
  const ReadStream read = Parsed(*FindDialect("anthropic.messages"), FramesOf(stream));
  CHECK(read.complete);
  CHECK(read.unknown == std::vector<std::string>{"signature of what is no thinking"});
  const ChatReply reply = read.Reply();
  REQUIRE(reply.parts.size() == 1);
  CHECK(std::get<TextPart>(reply.parts[0]).text == "yes");
}

}  // namespace
}  // namespace llm_router
