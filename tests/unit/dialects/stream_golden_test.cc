// The streams of tests/golden: read, put together, relayed and translated.
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/dialects/golden.h"
#include "tests/unit/dialects/streaming.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;

struct Row {
  const char* folder;
  const Dialect& dialect;
  const Dialect& other;
};

const Dialect& OpenAi() { return *FindDialect("openai.chat"); }
const Dialect& Anthropic() { return *FindDialect("anthropic.messages"); }

const Row kRows[] = {{"openai_chat", OpenAi(), Anthropic()},
                     {"anthropic_messages", Anthropic(), OpenAi()},
                     {"openai_completions", *FindDialect("openai.completions"), Anthropic()}};

void CheckFrames(const Dialect& dialect, std::span<const KeptFrame> frames) {
  if (&dialect == &OpenAi()) CheckOpenAiFrames(frames, true);
  if (&dialect == &Anthropic()) CheckAnthropicFrames(frames);
}

// Every stream that comes to its end.
template <class Each>
void ForEachWhole(Each each) {
  for (const Row& row : kRows) {
    for (const GoldenStream& golden : GoldenStreams(row.folder)) {
      INFO(golden.name);
      if (!golden.whole.empty()) each(row, golden);
    }
  }
}

// Arguments are JSON, whatever blanks are in them.
void ReadArguments(Json& reply) {
  const Json::json_pointer calls("/choices/0/message/tool_calls");
  if (!reply.contains(calls)) return;
  for (Json& call : reply[calls])
    call["function"]["arguments"] = Json::parse(call["function"]["arguments"].get<std::string>());
}

// All that a reply says, as the JSON of one dialect. The time of its making is the writer's where the
// provider gave none.
Json Said(const Dialect& dialect, const ChatReply& reply) {
  Warnings warnings;
  Json json = Json::parse(dialect.RenderReply(reply, warnings));
  if (reply.created == 0) json.erase("created");
  ReadArguments(json);
  return {{"reply", json}, {"warnings", warnings}};
}

std::string WithLineEnds(std::string_view stream, std::string_view line_end) {
  std::string changed;
  for (const char c : stream) c == '\n' ? changed += line_end : changed += c;
  return changed;
}

TEST_CASE("a stream put together says what the whole reply says") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    const ReadStream read = Parsed(row.dialect, FramesOf(golden.frames));
    CHECK(read.status == absl::OkStatus());
    CHECK(read.complete);
    const auto whole = row.dialect.ParseReply(golden.whole);
    REQUIRE(whole.ok());
    CHECK(Said(row.dialect, read.Reply()) == Said(row.dialect, *whole));
    CHECK(read.Reply().parts.size() == whole->parts.size());
    CHECK(read.Reply().finish == whole->finish);
  });
}

TEST_CASE("a relay keeps the whole reply as the provider would have sent it, unknown fields and all") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    const auto relay = row.dialect.NewRelay({.usage = true, .keep_whole = true});
    for (const KeptFrame& frame : FramesOf(golden.frames)) {
      CHECK_FALSE(relay->complete());
      CHECK(relay->Watch(frame.frame()) == absl::OkStatus());
      CHECK(relay->forwards());
    }
    CHECK(relay->complete());
    CHECK(Json::parse(relay->TakeWhole()) == Json::parse(golden.whole));
  });
}

TEST_CASE("a relay that keeps nothing learns the model, the usage and the end") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    const auto relay = row.dialect.NewRelay({.usage = true, .keep_whole = false});
    for (const KeptFrame& frame : FramesOf(golden.frames))
      CHECK(relay->Watch(frame.frame()) == absl::OkStatus());
    const auto whole = row.dialect.ParseReply(golden.whole);
    CHECK(relay->complete());
    CHECK(relay->has_output());
    CHECK(relay->model() == whole->model);
    REQUIRE(relay->usage().has_value() == whole->usage.has_value());
    if (whole->usage) {
      CHECK(relay->usage()->input_tokens == whole->usage->input_tokens);
      CHECK(relay->usage()->output_tokens == whole->usage->output_tokens);
      CHECK(relay->usage()->cache_read_tokens == whole->usage->cache_read_tokens);
    }
    CHECK(relay->TakeWhole().empty());
  });
}

TEST_CASE("output begins for a relay with the frame with which it begins for a parser") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    if (golden.name.ends_with("web_search")) return;  // what the parser has no place for is output too
    const auto parser = row.dialect.NewParser();
    const auto relay = row.dialect.NewRelay({.usage = true, .keep_whole = false});
    bool output = false;
    for (const KeptFrame& frame : FramesOf(golden.frames)) {
      std::vector<ReplyEvent> events;
      REQUIRE(parser->Read(frame.frame(), events).ok());
      REQUIRE(relay->Watch(frame.frame()).ok());
      for (const ReplyEvent& event : events) output = output || IsOutput(event);
      INFO(frame.data);
      CHECK(relay->has_output() == output);
    }
    CHECK(output);
  });
}

TEST_CASE("a stream in the other dialect's frames says what the whole reply says there") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    const ReadStream read = Parsed(row.dialect, FramesOf(golden.frames));
    Warnings warnings, lost;
    const auto frames =
        FramesOf(Written(row.other, read.events, {.usage = true, .keep_whole = true}, warnings));
    CheckFrames(row.other, frames);
    const ReadStream again = Parsed(row.other, frames);
    CHECK(again.complete);
    const std::string whole = row.other.RenderReply(*row.dialect.ParseReply(golden.whole), lost);
    Json expected = Said(row.other, *row.other.ParseReply(whole));
    Json got = Said(row.other, again.Reply());
    if (read.Reply().created == 0) expected["reply"].erase("created"), got["reply"].erase("created");
    CHECK(got == expected);
  });
}

TEST_CASE("a stream written in its own dialect reads the same") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    const ReadStream read = Parsed(row.dialect, FramesOf(golden.frames));
    Warnings warnings;
    const auto frames =
        FramesOf(Written(row.dialect, read.events, {.usage = true, .keep_whole = true}, warnings));
    CheckFrames(row.dialect, frames);
    ChatReply first = read.Reply();
    first.unknown.clear();
    CHECK(Said(row.dialect, Parsed(row.dialect, frames).Reply()) == Said(row.dialect, first));
  });
}

TEST_CASE("a stream cut at any byte, and with lines that end otherwise, has the same frames") {
  for (const Row& row : kRows) {
    for (const GoldenStream& golden : GoldenStreams(row.folder)) {
      INFO(golden.name);
      for (const std::string_view line_end : {"\n", "\r\n", "\r"}) {
        const std::string stream = WithLineEnds(golden.frames, line_end);
        const auto frames = FramesOf(stream);
        std::string raw;
        for (size_t i = 0; i < frames.size(); ++i) raw += frames[i].raw;
        CHECK(raw == stream);
        size_t same = 0;
        for (size_t cut = 0; cut <= stream.size(); ++cut) {
          const std::string_view pieces[] = {std::string_view(stream).substr(0, cut),
                                             std::string_view(stream).substr(cut)};
          same += FramesOf(pieces) == frames;
        }
        CHECK(same == stream.size() + 1);
        const ReadStream first = Parsed(row.dialect, FramesOf(golden.frames));
        CHECK(Said(row.dialect, Parsed(row.dialect, frames).Reply()) == Said(row.dialect, first.Reply()));
      }
    }
  }
}

TEST_CASE("a stream that arrives byte by byte reads the same") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    std::vector<std::string_view> bytes;
    for (size_t at = 0; at < golden.frames.size(); ++at)
      bytes.push_back(std::string_view(golden.frames).substr(at, 1));
    const auto frames = FramesOf(bytes);
    CHECK(frames == FramesOf(golden.frames));
    CHECK(Parsed(row.dialect, frames).complete);
  });
}

TEST_CASE("a stream cut after any frame but the last is not complete") {
  ForEachWhole([](const Row& row, const GoldenStream& golden) {
    const auto frames = FramesOf(golden.frames);
    for (size_t count = 0; count < frames.size(); ++count) {
      const auto begin = std::span(frames).first(count);
      CHECK_FALSE(Parsed(row.dialect, begin).complete);
      const auto relay = row.dialect.NewRelay({});
      for (const KeptFrame& frame : begin) REQUIRE(relay->Watch(frame.frame()).ok());
      CHECK_FALSE(relay->complete());
    }
  });
}

TEST_CASE("an error in the middle of a stream is that error, for a parser and for a relay") {
  struct Case {
    const Row& row;
    Fault fault;
    const char* message;
  };
  for (const Case& error :
       {Case{kRows[0], Fault::kProviderFailed,
             "the provider broke its reply off: The server had an error while processing your request. Sorry "
             "about that!"},
        Case{kRows[1], Fault::kProviderBusy, "the provider broke its reply off: Overloaded"}}) {
    for (const GoldenStream& golden : GoldenStreams(error.row.folder)) {
      if (!golden.whole.empty()) continue;
      INFO(golden.name);
      const auto frames = FramesOf(golden.frames);
      const ReadStream read = Parsed(error.row.dialect, frames);
      CHECK(FaultOf(read.status) == error.fault);
      CHECK(MessageOf(read.status) == error.message);
      CHECK_FALSE(read.complete);
      CHECK(std::get<TextPart>(read.Reply().parts.at(0)).text == "Half a");
      for (const bool keep : {false, true}) {
        const auto relay = error.row.dialect.NewRelay({.usage = false, .keep_whole = keep});
        absl::Status status;
        for (const KeptFrame& frame : frames) status = relay->Watch(frame.frame());
        CHECK(FaultOf(status) == error.fault);
        CHECK_FALSE(relay->complete());
      }
    }
  }
}

}  // namespace
}  // namespace llm_router
