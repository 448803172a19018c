// Dialect: one wire format of a chat API, as a pure codec used in both directions.
//
// The worker parses a caller's request and renders the provider's with it, and back. Stateless singletons
// that live as long as the process; any thread. Faults: invalid_request for a caller's body,
// provider_bad_reply for a reply's. Streams are a second pair of codec objects made by the same Dialect, one
// per stream; whole replies need no state.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "router/dialects/chat.h"
#include "router/dialects/reply_stream.h"

namespace llm_router {

// What a provider said was wrong, in its own words.
struct ProviderError {
  std::string type;
  std::string code;
  std::string message;
};

// Chats convert into each other; the others only pass through to a target that speaks the same.
enum class DialectKind { kChat, kEmbeddings, kTokenCount };

class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string_view name() const = 0;  // contract::dialect
  virtual DialectKind kind() const { return DialectKind::kChat; }

  virtual absl::StatusOr<Chat> ParseRequest(std::string_view body) const = 0;
  virtual absl::StatusOr<std::string> RenderRequest(const Chat& chat, Warnings& warnings) const = 0;
  virtual absl::StatusOr<ChatReply> ParseReply(std::string_view body) const = 0;
  // The same dialect at both ends: the reply's model and usage alone. Of what it holds it is only checked
  // that it is there.
  virtual absl::StatusOr<ChatReply> GlanceAtReply(std::string_view body) const { return ParseReply(body); }
  virtual std::string RenderReply(const ChatReply& reply, Warnings& warnings) const = 0;

  // The same dialect at both ends: `body`, one that ParseRequest took, with its top-level `model` replaced
  // (or added) and made to ask for a stream with its usage, or for none; the rest byte for byte.
  virtual std::string WithModel(std::string_view body, std::string_view model, bool stream) const = 0;

  // Reads an error body. Nothing readable in it: all fields empty.
  virtual ProviderError ParseError(std::string_view body) const = 0;

  // One per stream, each. Null where kind() is not kChat: those have no streams. `warnings` must outlive the
  // writer, which adds to them until the end.
  virtual std::unique_ptr<ReplyParser> NewParser() const { return nullptr; }
  virtual std::unique_ptr<ReplyWriter> NewWriter(const StreamWishes&, Warnings&) const { return nullptr; }
  virtual std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes&) const { return nullptr; }
  // One whole frame that ends a stream with a failure. Empty where a stream has no frames (text).
  virtual std::string ErrorFrame(const absl::Status& failure) const = 0;
};

// Every codec, sorted by name; and the one of that name, or null.
std::span<const Dialect* const> AllDialects();
const Dialect* FindDialect(std::string_view name);

}  // namespace llm_router
