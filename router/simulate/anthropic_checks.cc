#include "router/simulate/anthropic_checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "router/simulate/checks.h"

namespace llm_router::simulate {
namespace {

constexpr std::array<std::string_view, 21> kFields = {
    "cache_control", "container",    "context_management", "inference_geo", "max_tokens",
    "mcp_servers",   "messages",     "metadata",           "model",         "output_config",
    "output_format", "service_tier", "stop_sequences",     "stream",        "system",
    "temperature",   "thinking",     "tool_choice",        "tools",         "top_k",
    "top_p",
};

constexpr std::array<std::string_view, 11> kCountFields = {
    "cache_control", "context_management", "mcp_servers",   "messages",
    "model",         "output_config",      "output_format", "system",
    "thinking",      "tool_choice",        "tools",
};

constexpr std::array<RangeRow, 4> kRanges = {{
    {"max_tokens", 1, 1e9, true},
    {"temperature", 0, 1, false},
    {"top_k", 0, 1e9, true},
    {"top_p", 0, 1, false},
}};

Refusal Bad(std::string message) { return {400, std::move(message)}; }

bool IsBlank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

Verdict CheckImage(const Json& block, const std::string& where) {
  const Json& source = At(block, "source");
  const std::string type = Text(At(source, "type"));
  if (type == "url" && !Text(At(source, "url")).empty()) return std::nullopt;
  if (type == "file" && !Text(At(source, "file_id")).empty()) return std::nullopt;
  if (type != "base64")
    return Bad(fmt::format("{}.image.source: Input tag '{}' is not expected", where, type));
  constexpr std::array<std::string_view, 4> known = {"image/gif", "image/jpeg", "image/png", "image/webp"};
  const std::string media = Text(At(source, "media_type"));
  if (std::find(known.begin(), known.end(), media) == known.end()) {
    return Bad(
        fmt::format("{}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', "
                    "'image/gif' or 'image/webp'",
                    where));
  }
  if (Text(At(source, "data")).empty()) return Bad(fmt::format("{}.image.source.base64.data: empty", where));
  return std::nullopt;
}

// Tool calls and results pair up: each call is answered in the very next message, each result has its call.
class ToolUseLedger {
 public:
  Verdict Take(const Json& content, const std::string& where) {
    std::set<std::string> called;
    std::set<std::string> answered;
    for (size_t i = 0; content.is_array() && i < content.size(); ++i) {
      const std::string type = Text(At(content[i], "type"));
      if (type == "tool_use") called.insert(Text(At(content[i], "id")));
      if (type == "tool_result") answered.insert(Text(At(content[i], "tool_use_id")));
    }
    for (const std::string& id : answered) {
      if (open_.erase(id) == 0) {
        return Bad(
            fmt::format("{}: unexpected `tool_use_id` found in `tool_result` blocks: {}. Each `tool_result` "
                        "block must have a corresponding `tool_use` block in the previous message.",
                        where, id));
      }
    }
    if (!open_.empty()) {
      return Bad(
          fmt::format("{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}",
                      where, *open_.begin()));
    }
    open_ = std::move(called);
    return std::nullopt;
  }

 private:
  std::set<std::string> open_;
};

Verdict CheckBlock(const Json& block, const std::string& where, const std::string& role) {
  const std::string type = Text(At(block, "type"));
  if (type == "text") {
    if (Text(At(block, "text")).empty())
      return Bad(fmt::format("{}: text content blocks must be non-empty", where));
    return std::nullopt;
  }
  const bool of_user =
      type == "image" || type == "document" || type == "tool_result" || type == "search_result";
  const bool of_assistant = type == "tool_use" || type == "thinking" || type == "redacted_thinking";
  if (of_user && role == "assistant")
    return Bad(fmt::format("{}: `{}` blocks are not permitted here", where, type));
  if (of_assistant && role == "user")
    return Bad(fmt::format("{}: `{}` blocks are not permitted here", where, type));
  if (!of_user && !of_assistant)
    return Bad(fmt::format("{}: Input tag '{}' found using 'type' is not expected", where, type));
  if (type == "image") return CheckImage(block, where);
  if (type == "thinking" && Text(At(block, "signature")) != SignatureOf(Text(At(block, "thinking")))) {
    return Bad(fmt::format("{}: Invalid `signature` in `thinking` block", where));
  }
  if (type == "tool_use" && (!At(block, "input").is_object() || Text(At(block, "id")).empty() ||
                             !IsToolName(Text(At(block, "name")), 128))) {
    return Bad(fmt::format("{}.tool_use: id, name and input (an object) are required", where));
  }
  return std::nullopt;
}

Verdict CheckMessage(const Json& message, const std::string& where, bool last) {
  const std::string role = Text(At(message, "role"));
  if (role != "user" && role != "assistant") {
    return Bad(fmt::format(
        "{}: Unexpected role \"{}\". Allowed roles are \"user\" or \"assistant\"; a system prompt "
        "goes to the top-level `system` parameter.",
        where, role));
  }
  const Json& content = At(message, "content");
  if (!content.is_string() && !content.is_array())
    return Bad(fmt::format("{}.content: Field required", where));
  const bool prefill = last && role == "assistant";
  const bool empty = content.is_string() ? Text(content).empty() : content.empty();
  if (empty && !prefill) return Bad(fmt::format("{}: all messages must have non-empty content", where));
  if (prefill && content.is_string() && !empty && IsBlank(Text(content).substr(Text(content).size() - 1))) {
    return Bad("messages: final assistant content cannot end with trailing whitespace");
  }
  for (size_t i = 0; content.is_array() && i < content.size(); ++i) {
    if (auto bad = CheckBlock(content[i], fmt::format("{}.content.{}", where, i), role)) return bad;
  }
  return std::nullopt;
}

Verdict CheckMessages(const Json& messages) {
  if (!messages.is_array()) return Bad("messages: Field required");
  if (messages.empty()) return Bad("messages: at least one message is required");
  if (Text(At(messages.front(), "role")) == "assistant") {
    return Bad("messages: first message must use the \"user\" role");
  }
  ToolUseLedger ledger;
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string where = fmt::format("messages.{}", i);
    if (auto bad = CheckMessage(messages[i], where, i + 1 == messages.size())) return bad;
    if (auto bad = ledger.Take(At(messages[i], "content"), where)) return bad;
  }
  return std::nullopt;
}

Verdict CheckSystem(const Json& system) {
  if (system.is_null() || system.is_string()) return std::nullopt;
  if (!system.is_array()) return Bad("system: Input should be a valid string or list");
  for (const Json& block : system) {
    if (Text(At(block, "type")) != "text") return Bad("system: only text blocks are permitted");
    if (Text(At(block, "text")).empty()) return Bad("system: text content blocks must be non-empty");
  }
  return std::nullopt;
}

Verdict CheckTools(const Json& body) {
  const Json& tools = At(body, "tools");
  const Json& choice = At(body, "tool_choice");
  const std::string type = Text(At(choice, "type"));
  if (!tools.is_null() && !tools.is_array()) return Bad("tools: Input should be a valid list");
  for (size_t i = 0; tools.is_array() && i < tools.size(); ++i) {
    const std::string kind = Text(At(tools[i], "type"));
    if (!IsToolName(Text(At(tools[i], "name")), 128)) return Bad(fmt::format("tools.{}.name: invalid", i));
    if ((kind.empty() || kind == "custom") && !At(tools[i], "input_schema").is_object()) {
      return Bad(fmt::format("tools.{}.custom.input_schema: Field required", i));
    }
  }
  if (choice.is_null()) return std::nullopt;
  if (type != "auto" && type != "any" && type != "tool" && type != "none") {
    return Bad(fmt::format("tool_choice: Input tag '{}' found using 'type' is not expected", type));
  }
  if (!tools.is_array() || tools.empty()) {
    return Bad("tool_choice: tool_choice may only be specified while providing tools");
  }
  return std::nullopt;
}

Verdict CheckStops(const Json& stops) {
  if (stops.is_null()) return std::nullopt;
  if (!stops.is_array()) return Bad("stop_sequences: Input should be a valid list");
  for (const Json& stop : stops) {
    if (IsBlank(Text(stop))) return Bad("stop_sequences: each stop sequence must contain non-whitespace");
  }
  return std::nullopt;
}

Verdict CheckThinking(const Json& body) {
  const Json& thinking = At(body, "thinking");
  if (Text(At(thinking, "type")) != "enabled") return std::nullopt;
  const Json& budget = At(thinking, "budget_tokens");
  if (!budget.is_number_integer() || budget < 1024) {
    return Bad("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
  }
  const Json& limit = At(body, "max_tokens");
  if (!limit.is_null() && budget >= limit)
    return Bad("`max_tokens` must be greater than `thinking.budget_tokens`");
  return std::nullopt;
}

Verdict CheckNames(const Json& body, std::span<const std::string_view> known,
                   std::span<const std::string_view> more) {
  if (const auto unknown = FirstUnknown(body, known, more)) {
    return Bad(fmt::format("{}: Extra inputs are not permitted", *unknown));
  }
  if (At(body, "model").is_null()) return Bad("model: Field required");
  if (Text(At(body, "model")).empty()) return Bad("model: String should have at least 1 character");
  return std::nullopt;
}

// What a message and the count of its tokens have in common.
Verdict CheckContent(const Json& body) {
  for (const auto check : {&CheckTools, &CheckThinking}) {
    if (auto bad = check(body)) return bad;
  }
  if (auto bad = CheckSystem(At(body, "system"))) return bad;
  return CheckMessages(At(body, "messages"));
}

}  // namespace

Verdict CheckAnthropicBody(const Json& body, std::span<const std::string_view> more) {
  if (auto bad = CheckNames(body, kFields, more)) return bad;
  if (At(body, "max_tokens").is_null()) return Bad("max_tokens: Field required");
  const Json& stream = At(body, "stream");
  if (!stream.is_null() && !stream.is_boolean()) return Bad("stream: Input should be a valid boolean");
  if (const RangeRow* row = FirstOutOfRange(body, kRanges)) {
    return Bad(fmt::format("{}: range: {}..{}", row->field, row->least, row->most));
  }
  if (auto bad = CheckStops(At(body, "stop_sequences"))) return bad;
  return CheckContent(body);
}

Verdict CheckAnthropicCountBody(const Json& body, std::span<const std::string_view> more) {
  if (auto bad = CheckNames(body, kCountFields, more)) return bad;
  return CheckContent(body);
}

}  // namespace llm_router::simulate
