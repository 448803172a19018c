#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/simulate/anthropic_checks.h"
#include "router/simulate/anthropic_stream.h"
#include "router/simulate/api.h"
#include "router/simulate/checks.h"

namespace llm_router::simulate {
namespace {

std::string DescribeContent(const Json& content);

std::string DescribeBlock(const Json& block) {
  const std::string type = Text(At(block, "type"));
  if (type == "text") return Text(At(block, "text"));
  if (type == "tool_result") return DescribeContent(At(block, "content"));
  if (type == "tool_use")
    return fmt::format("[calls {}({})]", Text(At(block, "name")), Dump(At(block, "input")));
  if (type != "image") return fmt::format("[{}]", type);
  const Json& source = At(block, "source");
  if (Text(At(source, "type")) != "base64") return fmt::format("[image {}]", Text(At(source, "url")));
  return DescribeImage(Text(At(source, "media_type")), Text(At(source, "data")));
}

std::string DescribeContent(const Json& content) {
  if (content.is_string()) return Text(content);
  std::string text;
  for (const Json& block : content) {
    const std::string described = DescribeBlock(block);
    text += (text.empty() || described.empty() ? "" : " ") + described;
  }
  return text;
}

// A user message may carry tool results; those are turns of the tool's.
void ReadMessage(const Json& message, std::vector<Turn>& turns) {
  const std::string role = Text(At(message, "role"));
  const Json& content = At(message, "content");
  if (!content.is_array()) {
    turns.push_back({role, Text(content)});
    return;
  }
  Json rest = Json::array();
  for (const Json& block : content) {
    if (Text(At(block, "type")) == "tool_result") {
      turns.push_back({"tool", DescribeBlock(block)});
    } else {
      rest.push_back(block);
    }
  }
  if (!rest.empty()) turns.push_back({role, DescribeContent(rest)});
}

void ReadTools(const Json& body, Conversation& conversation) {
  const Json& tools = At(body, "tools");
  for (size_t i = 0; tools.is_array() && i < tools.size(); ++i) {
    conversation.tools.push_back({Text(At(tools[i], "name")), &At(tools[i], "input_schema")});
  }
  const std::string choice = Text(At(At(body, "tool_choice"), "type"));
  if (choice == "none") conversation.tool_use = ToolUse::kNone;
  if (choice == "any" || choice == "tool") conversation.tool_use = ToolUse::kRequired;
  if (choice == "tool") conversation.forced_tool = Text(At(At(body, "tool_choice"), "name"));
}

void ReadFormat(const Json& body, Conversation& conversation) {
  const Json& inner = At(At(body, "output_config"), "format");
  const Json& format = inner.is_null() ? At(body, "output_format") : inner;
  if (Text(At(format, "type")) != "json_schema") return;
  conversation.wants_json = true;
  conversation.schema = &At(format, "schema");
}

void ReadParameters(const Json& body, Conversation& conversation) {
  for (const auto& [name, value] : body.items()) {
    const bool shown =
        name == "model" || name == "messages" || name == "tools" || name == "stream" || name == "system";
    if (!shown && !value.is_null()) conversation.parameters[name] = Dump(value);
  }
}

// The words up to the last block with a marker, in the order in which they are cached.
size_t CountCacheable(const Json& body) {
  size_t words = 0;
  size_t marked = 0;
  const auto count = [&](const Json& content) {
    if (!content.is_array()) {
      words += CountWords(Text(content));
      return;
    }
    for (const Json& block : content) {
      words += CountWords(DescribeBlock(block));
      if (!At(block, "cache_control").is_null()) marked = words;
    }
  };
  count(At(body, "system"));
  const Json& messages = At(body, "messages");
  for (size_t i = 0; messages.is_array() && i < messages.size(); ++i) count(At(messages[i], "content"));
  return marked;
}

Json RenderContent(const Answer& answer) {
  Json content = Json::array();
  if (!answer.reasoning.empty()) {
    content.push_back(
        {{"type", "thinking"}, {"thinking", answer.reasoning}, {"signature", SignatureOf(answer.reasoning)}});
  }
  if (answer.calls.empty()) content.push_back({{"type", "text"}, {"text", answer.text}});
  for (const CalledTool& call : answer.calls) {
    content.push_back({{"type", "tool_use"},
                       {"id", "toolu_" + call.id},
                       {"name", call.name},
                       {"input", Json::parse(call.arguments, nullptr, false)}});
  }
  return content;
}

std::string_view ErrorType(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 408:
    case 504:
      return "timeout_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 529:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

class Anthropic : public Api {
 public:
  Verdict CheckHead(const HttpRequest& request) const override {
    const std::string_view version = HeaderOr(request.headers, "anthropic-version");
    if (version.empty()) return Refusal(400, "anthropic-version: header is required");
    constexpr std::string_view known[] = {"2023-01-01", "2023-06-01", "2026-10-21"};
    if (std::ranges::find(known, version) == std::ranges::end(known)) {
      return Refusal(400, fmt::format("anthropic-version: \"{}\" is not a valid version", version));
    }
    if (request.method == "POST" && !IsJsonType(HeaderOr(request.headers, "content-type"))) {
      return Refusal(415, "content-type: expected application/json");
    }
    return std::nullopt;
  }

  Verdict CheckBody(const Json& body, std::span<const std::string_view> more) const override {
    return CheckAnthropicBody(body, more);
  }

  Conversation Read(const Json& body) const override {
    Conversation conversation;
    conversation.api = "anthropic";
    conversation.model = Text(At(body, "model"));
    if (const Json& system = At(body, "system"); !system.is_null()) {
      conversation.turns.push_back({"system", DescribeContent(system)});
    }
    const Json& messages = At(body, "messages");
    for (size_t i = 0; messages.is_array() && i < messages.size(); ++i) {
      ReadMessage(messages[i], conversation.turns);
    }
    ReadTools(body, conversation);
    ReadFormat(body, conversation);
    ReadParameters(body, conversation);
    conversation.stream = At(body, "stream") == true;
    conversation.cacheable = CountCacheable(body);
    const Json& stops = At(body, "stop_sequences");
    for (size_t i = 0; stops.is_array() && i < stops.size(); ++i)
      conversation.stops.push_back(Text(stops[i]));
    const Json& limit = At(body, "max_tokens");
    if (limit.is_number_unsigned()) conversation.max_tokens = limit.get<size_t>();
    return conversation;
  }

  std::string Render(const Conversation& conversation, const Answer& answer) const override {
    Json message = AnthropicMessage(conversation);
    message["content"] = RenderContent(answer);
    message["stop_reason"] = AnthropicStopReason(answer);
    if (!answer.stop_sequence.empty()) message["stop_sequence"] = answer.stop_sequence;
    message["usage"] = AnthropicUsage(answer);
    return Dump(message);
  }

  std::unique_ptr<StreamWriter> Stream(const Conversation& conversation,
                                       const Answer& answer) const override {
    return NewAnthropicStream(conversation, answer);
  }

  std::string RenderModels() const override {
    Json models = Json::array();
    for (const char* id : {"claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5"}) {
      models.push_back(
          {{"type", "model"}, {"id", id}, {"display_name", id}, {"created_at", "2025-09-29T00:00:00Z"}});
    }
    return Dump({{"data", models},
                 {"has_more", false},
                 {"first_id", models.front()["id"]},
                 {"last_id", models.back()["id"]}});
  }

  std::string RenderError(const Refusal& refusal, const std::string& request_id) const override {
    return Dump({{"type", "error"},
                 {"error", {{"type", ErrorType(refusal.status)}, {"message", refusal.message}}},
                 {"request_id", request_id}});
  }

  std::string_view request_id_header() const override { return "request-id"; }
};

// Reads a conversation and counts it.
class TokenCount final : public Anthropic {
 public:
  Verdict CheckBody(const Json& body, std::span<const std::string_view> more) const override {
    return CheckAnthropicCountBody(body, more);
  }

  std::string Render(const Conversation&, const Answer& answer) const override {
    return Dump({{"input_tokens", answer.input_tokens}});
  }

  std::unique_ptr<StreamWriter> Stream(const Conversation&, const Answer&) const override { return nullptr; }
};

}  // namespace

const Api& AnthropicApi() {
  static const Anthropic api;
  return api;
}

const Api& AnthropicTokenCountApi() {
  static const TokenCount api;
  return api;
}

}  // namespace llm_router::simulate
