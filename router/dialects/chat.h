// Chat: the canonical form of one chat query and of its reply, between any two wire formats.
//
// Plain values. What one dialect knows and another does not lives here as an optional field; a codec that
// can't express a field says so in Warnings. JSON inside (schemas, arguments) is kept as its text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace llm_router {

// What the target could not express, one short phrase each: "top_k dropped", ...
using Warnings = std::vector<std::string>;

// Where a provider may keep the input up to here for the next query: Anthropic's `cache_control`, as JSON
// text; empty: no mark.
using CacheMark = std::string;

struct TextPart {
  std::string text;
  CacheMark cache = {};
};
struct ImagePart {
  std::string url;         // either a URL ...
  std::string media_type;  // ... or base64 data with its media type
  std::string data;
  std::string detail;  // OpenAI's: auto, low, high
  CacheMark cache = {};
};
struct ToolCallPart {
  std::string id;
  std::string name;
  std::string arguments;  // a JSON object, as text
  CacheMark cache = {};
};
struct ToolResultPart {
  std::string call_id;
  std::vector<std::variant<TextPart, ImagePart>> content;
  bool is_error = false;
  CacheMark cache = {};
};
struct RefusalPart {
  std::string text;
};
// What a model thought before it spoke. Only the provider that made it takes it back, and only with its
// proof.
struct ThinkingPart {
  std::string text;
  std::string signature;
  std::string redacted;  // instead of both: the thought encrypted, as the provider wrote it
};
using Part = std::variant<TextPart, ImagePart, ToolCallPart, ToolResultPart, RefusalPart, ThinkingPart>;

enum class Role { kSystem, kUser, kAssistant, kTool };

struct ChatMessage {
  ChatMessage() = default;
  ChatMessage(Role message_role, std::vector<Part> message_parts)
      : role(message_role), parts(std::move(message_parts)) {}

  Role role = Role::kUser;
  std::vector<Part> parts;
  std::string name;
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // JSON Schema, as text; empty: none
  std::optional<bool> strict;
  CacheMark cache = {};
};

struct ToolChoice {
  enum class Mode { kAuto, kNone, kRequired, kNamed };
  Mode mode = Mode::kAuto;
  std::string name;  // for kNamed
};

// Structured output: any JSON object, or one that follows a schema.
struct ResponseFormat {
  std::string name;
  std::string schema;  // JSON Schema, as text; empty: any object
  std::optional<bool> strict;
};

// How much a model shall think before it speaks.
struct Reasoning {
  std::string effort;             // none, minimal, low, medium, high, ...; empty: not said
  std::optional<int64_t> budget;  // tokens
  bool off = false;               // Anthropic's "disabled", which is its default too
  bool adaptive = false;          // as much as the model sees fit
};

struct Chat {
  Chat() = default;

  std::string model;
  std::vector<ChatMessage> messages;  // system prompts are messages with Role::kSystem, in their place
  std::optional<int64_t> max_tokens;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int64_t> top_k;
  std::optional<double> frequency_penalty;
  std::optional<double> presence_penalty;
  std::optional<int64_t> seed;
  std::optional<int64_t> n;
  std::vector<std::string> stop;
  std::vector<Tool> tools;
  std::optional<ToolChoice> tool_choice;
  std::optional<bool> parallel_tool_calls;
  std::optional<ResponseFormat> response_format;
  std::optional<Reasoning> reasoning;
  std::string user;
  bool stream = false;
  bool stream_usage = false;         // whether the caller wants counts of tokens in its stream
  std::vector<std::string> unknown;  // names of fields this dialect's codec read and has no place for
};

enum class Finish { kStop, kLength, kToolCalls, kContentFilter, kRefusal, kStopSequence, kPause, kUnknown };

struct ChatUsage {
  int64_t input_tokens = 0;  // all of the input, cached parts included
  int64_t output_tokens = 0;
  std::optional<int64_t> cache_read_tokens;
  std::optional<int64_t> cache_write_tokens;
  std::optional<int64_t> reasoning_tokens;

  bool operator==(const ChatUsage&) const = default;
};

struct ChatReply {
  ChatReply() = default;

  std::string id;
  std::string model;
  int64_t created = 0;      // Unix seconds; 0 = the dialect does not say
  std::vector<Part> parts;  // text, tool calls, refusals, in order
  Finish finish = Finish::kStop;
  std::string stop_sequence;
  std::optional<ChatUsage> usage;
  std::vector<std::string> unknown;  // as in Chat: "thinking blocks", ...
};

}  // namespace llm_router
