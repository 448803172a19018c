// A streamed reply, piece by piece: what it says between two wire formats, and the codec objects that read
// and write it. A Dialect makes them, one per stream. Pure: bytes in, values out; one thread at a time.
//
//   ReplyParser   a provider's frames -> ReplyEvents
//   ReplyWriter   ReplyEvents -> frames of the caller's dialect
//   ReplyAssembler  ReplyEvents -> the whole ChatReply
//   ReplyRelay    the same dialect at both ends: watches the frames that pass through, and keeps the whole
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "router/dialects/chat.h"
#include "router/net/sse.h"

namespace llm_router {

struct ReplyBegin {
  std::string id;
  std::string model;
  int64_t created = 0;             // Unix seconds; 0 = the dialect does not say
  std::optional<ChatUsage> usage;  // of the input, where it is known at the begin
};
// A part begins. Parts are numbered from 0 in the order of their begin; their deltas may interleave.
struct PartBegin {
  size_t index = 0;
  Part part;  // its text, arguments or thinking empty; a tool call's id and name are there
};
struct PartDelta {
  size_t index = 0;
  std::string text;  // more of its text, arguments, refusal or thinking
};
// What proves a thinking part to its provider.
struct PartSignature {
  size_t index = 0;
  std::string signature;
};
struct ReplyEnd {
  Finish finish = Finish::kStop;
  std::string stop_sequence;
  std::optional<ChatUsage> usage;
};
using ReplyEvent = std::variant<ReplyBegin, PartBegin, PartDelta, PartSignature, ReplyEnd>;

// Whether it is real output, or the end: from the first such event on no other target may be tried.
bool IsOutput(const ReplyEvent& event);

// A whole reply as a stream would have told it.
std::vector<ReplyEvent> EventsOf(const ChatReply& reply);

class ReplyParser {
 public:
  virtual ~ReplyParser() = default;
  // Reads one frame and appends what it says. A frame that reports an error is that error (as its fault says:
  // provider_busy, provider_failed, ...); what is no frame of this dialect is provider_bad_reply.
  virtual absl::Status Read(const SseFrame& frame, std::vector<ReplyEvent>& events) = 0;
  // Whether the reply came to its end; a stream that closes before is cut.
  virtual bool complete() const = 0;
  // What it read and has no place for, as in ChatReply.
  virtual const std::vector<std::string>& unknown() const = 0;
};

class ReplyWriter {
 public:
  virtual ~ReplyWriter() = default;
  // The whole frames that say it, often none or several.
  virtual std::string Write(const ReplyEvent& event) = 0;
};

class ReplyRelay {
 public:
  virtual ~ReplyRelay() = default;
  // Reads as little of the frame as it must (all of it, when the whole is kept). Faults as ReplyParser::Read.
  virtual absl::Status Watch(const SseFrame& frame) = 0;
  // Of the frame last watched: whether the caller gets it (not one that is there only because we asked for
  // usage), and whether real output has begun with it or before.
  virtual bool forwards() const = 0;
  virtual bool has_output() const = 0;
  virtual bool complete() const = 0;
  virtual const std::optional<ChatUsage>& usage() const = 0;
  // The reply's model, as the provider calls it; empty: it did not say.
  virtual const std::string& model() const = 0;
  // The whole reply's body as the provider would have sent it without a stream, unknown fields kept. Empty
  // when the relay was made without keep_whole.
  virtual std::string TakeWhole() = 0;
};

// Puts a whole reply together. Not for more than one reply.
class ReplyAssembler {
 public:
  void Add(const ReplyEvent& event);
  ChatReply Take(std::vector<std::string> unknown);

 private:
  ChatReply reply_;
};

// How a caller wants its stream.
struct StreamWishes {
  bool usage = false;      // OpenAI's stream_options.include_usage
  bool keep_whole = true;  // of a relay
};

}  // namespace llm_router
