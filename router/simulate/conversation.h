// Conversation: what the simulator understood of a request, in no provider's words. A plain value; the JSON
// it points to is the request's and must outlive it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker_adapters/base/tags.h"
#include "router/simulate/json_view.h"

namespace llm_router::simulate {

struct Turn {
  std::string role;  // the provider's: system, user, assistant, tool
  std::string text;  // images, tool calls and tool results described in brackets
};

struct Tool {
  std::string name;
  const Json* schema = nullptr;  // of its arguments
};

enum class ToolUse { kAuto, kNone, kRequired };

struct Conversation {
  Conversation() = default;

  std::string api;  // "openai", "anthropic"
  std::string model;
  std::vector<Turn> turns;
  std::vector<Tool> tools;
  ToolUse tool_use = ToolUse::kAuto;
  std::string forced_tool;  // the only one that may be called
  bool wants_json = false;
  const Json* schema = nullptr;  // of the JSON wanted, where one was given
  size_t max_tokens = 0;         // 0: no limit
  std::vector<std::string> stops;
  int choices = 1;
  bool apart = false;         // every turn is a prompt of its own and gets its own answer
  bool echo = false;          // the answer begins with the prompt
  bool stream = false;        // as frames
  bool stream_usage = false;  // with a frame of usage at the end
  size_t cacheable = 0;       // words up to the last marker of what the provider may keep
  Tags parameters;            // every other field that was sent, its value as compact JSON
};

// "short", in quotes; a longer text begins so and ends with a hash of the whole, so that any change shows.
std::string Quote(std::string_view text, size_t most = 200);

// Words, which are this model's tokens, are what white space parts.
inline bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
size_t CountWords(std::string_view text);

// What vouches for a piece of reasoning: it must come back with it unchanged.
std::string SignatureOf(std::string_view reasoning);

// "[image image/png 68 bytes #1a2b3c4d]", from Base64.
std::string DescribeImage(std::string_view media_type, std::string_view base64);

}  // namespace llm_router::simulate
