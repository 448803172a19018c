// Streams in tests: frames from text, a reply from frames, and the rules that SDKs hold frames to.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/dialects/dialect.h"

namespace llm_router {

// One frame that is kept.
struct KeptFrame {
  std::string event;
  std::string data;
  std::string raw;

  SseFrame frame() const { return {event, data, raw}; }
  bool operator==(const KeptFrame&) const = default;
};

// Of a stream that arrives in these pieces. Fails when one is refused.
std::vector<KeptFrame> FramesOf(std::span<const std::string_view> pieces);
std::vector<KeptFrame> FramesOf(std::string_view stream);

struct ReadStream {
  std::vector<ReplyEvent> events;
  absl::Status status;  // of the frame that was refused
  bool complete = false;
  std::vector<std::string> unknown;

  ChatReply Reply() const;
};
ReadStream Parsed(const Dialect& dialect, std::span<const KeptFrame> frames);

// What a writer of `dialect` makes of these events.
std::string Written(const Dialect& dialect, std::span<const ReplyEvent> events, const StreamWishes& wishes,
                    Warnings& warnings);

// Fails unless they are what the SDKs of OpenAI, of Anthropic expect.
void CheckOpenAiFrames(std::span<const KeptFrame> frames, bool usage);
void CheckAnthropicFrames(std::span<const KeptFrame> frames);

}  // namespace llm_router
