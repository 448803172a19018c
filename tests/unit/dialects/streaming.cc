#include "tests/unit/dialects/streaming.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router {

using Json = nlohmann::json;

std::vector<KeptFrame> FramesOf(std::span<const std::string_view> pieces) {
  std::vector<KeptFrame> frames;
  SseReader reader;
  for (const std::string_view piece : pieces) {
    if (!reader.Feed(std::string(piece)).ok()) FAIL("refused: " << piece);
    for (SseFrame frame; reader.Next(frame);)
      frames.push_back({std::string(frame.event), std::string(frame.data), std::string(frame.raw)});
  }
  return frames;
}

std::vector<KeptFrame> FramesOf(std::string_view stream) { return FramesOf(std::span(&stream, 1)); }

ChatReply ReadStream::Reply() const {
  ReplyAssembler assembler;
  for (const ReplyEvent& event : events) assembler.Add(event);
  return assembler.Take(unknown);
}

ReadStream Parsed(const Dialect& dialect, std::span<const KeptFrame> frames) {
  ReadStream read;
  const auto parser = dialect.NewParser();
  for (const KeptFrame& frame : frames) {
    read.status = parser->Read(frame.frame(), read.events);
    if (!read.status.ok()) break;
  }
  read.complete = parser->complete();
  read.unknown = parser->unknown();
  return read;
}

std::string Written(const Dialect& dialect, std::span<const ReplyEvent> events, const StreamWishes& wishes,
                    Warnings& warnings) {
  const auto writer = dialect.NewWriter(wishes, warnings);
  std::string frames;
  for (const ReplyEvent& event : events) frames += writer->Write(event);
  return frames;
}

void CheckOpenAiFrames(std::span<const KeptFrame> frames, bool usage) {
  REQUIRE(frames.size() >= 3);
  CHECK(frames.back().data == "[DONE]");
  const Json first = Json::parse(frames.front().data);
  CHECK(first["choices"][0]["delta"]["role"] == "assistant");
  std::set<int> begun;
  size_t finished = 0;
  for (const KeptFrame& frame : frames.first(frames.size() - 1)) {
    INFO(frame.data);
    CHECK(frame.event.empty());
    const Json chunk = Json::parse(frame.data);
    CHECK(chunk["object"] == "chat.completion.chunk");
    for (const char* same : {"id", "created", "model"}) CHECK(chunk[same] == first[same]);
    CHECK(chunk.contains("usage") == usage);
    if (chunk["choices"].empty()) {
      CHECK(chunk["usage"].is_object());
      CHECK(&frame == &frames[frames.size() - 2]);
      continue;
    }
    if (usage) CHECK(chunk["usage"].is_null());
    const Json& choice = chunk["choices"][0];
    finished += choice["finish_reason"].is_string();
    CHECK((&frame == &frames.front()) == choice["delta"].contains("role"));
    for (const Json& call : choice["delta"].value("tool_calls", Json::array())) {
      const bool begins = begun.insert(call["index"].get<int>()).second;
      CHECK(begins == call.contains("id"));
      CHECK(begins == call["function"].contains("name"));
      CHECK(call["function"]["arguments"].is_string());
    }
  }
  CHECK(finished == 1);
}

void CheckAnthropicFrames(std::span<const KeptFrame> frames) {
  REQUIRE(frames.size() >= 3);
  const Json start = Json::parse(frames.front().data);
  CHECK(start["type"] == "message_start");
  CHECK(start["message"]["content"] == Json::array());
  CHECK(start["message"]["usage"].contains("input_tokens"));
  CHECK(start["message"]["usage"].contains("output_tokens"));
  int blocks = 0;
  bool open = false;
  for (const KeptFrame& frame : frames) {
    INFO(frame.data);
    const Json event = Json::parse(frame.data);
    CHECK(event["type"].get<std::string>() == frame.event);
    if (event.contains("index")) CHECK(event["index"] == blocks);
    CHECK((frame.event == "content_block_start") == (event.contains("index") && !open));
    if (frame.event == "content_block_start") {
      open = true;
      if (event["content_block"]["type"] == "tool_use")
        CHECK(event["content_block"]["input"] == Json::object());
    }
    if (frame.event == "content_block_stop") {
      open = false;
      ++blocks;
    }
  }
  CHECK_FALSE(open);
  const Json delta = Json::parse(frames[frames.size() - 2].data);
  CHECK(delta["type"] == "message_delta");
  CHECK(delta["delta"]["stop_reason"].is_string());
  CHECK(delta["usage"].contains("input_tokens"));
  CHECK(delta["usage"].contains("output_tokens"));
  CHECK(frames.back().event == "message_stop");
}

}  // namespace llm_router
