#include "router/simulate/openai_checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "router/simulate/checks.h"
#include "router/simulate/openai_base.h"

namespace llm_router::simulate {
namespace {

constexpr std::array<std::string_view, 37> kFields = {
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
};

constexpr std::array<RangeRow, 8> kRanges = {{
    {"frequency_penalty", -2, 2, false},
    {"max_completion_tokens", 1, 1e9, true},
    {"max_tokens", 1, 1e9, true},
    {"n", 1, 128, true},
    {"presence_penalty", -2, 2, false},
    {"temperature", 0, 2, false},
    {"top_logprobs", 0, 20, true},
    {"top_p", 0, 1, false},
}};

constexpr std::array<std::string_view, 6> kRoles = {"assistant", "developer", "function",
                                                    "system",    "tool",      "user"};

bool IsOneOf(std::string_view text, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

Refusal Bad(std::string message, std::string param = {}) {
  return {400, std::move(message), std::move(param)};
}

Verdict CheckPart(const Json& part, const std::string& where, bool from_user) {
  const std::string type = Text(At(part, "type"));
  if (type == "text") {
    if (!At(part, "text").is_string())
      return Bad(fmt::format("Missing required parameter: '{}.text'.", where));
    return std::nullopt;
  }
  if (!from_user && type != "refusal") {
    return Bad(fmt::format("Invalid content type '{}' at '{}': only user messages have it.", type, where),
               where);
  }
  if (type == "image_url") {
    const std::string url = Text(At(At(part, "image_url"), "url"));
    const bool known =
        url.rfind("https://", 0) == 0 || url.rfind("http://", 0) == 0 || url.rfind("data:image/", 0) == 0;
    if (!known) return Bad(fmt::format("Invalid '{}.image_url.url': expected a valid URL.", where), where);
    return std::nullopt;
  }
  constexpr std::array<std::string_view, 3> others = {"file", "input_audio", "refusal"};
  if (IsOneOf(type, others)) return std::nullopt;
  return Bad(fmt::format("Invalid value: '{}' at '{}.type'.", type, where), where);
}

Verdict CheckContent(const Json& message, const std::string& where) {
  const std::string role = Text(At(message, "role"));
  const Json& content = At(message, "content");
  if (content.is_string()) return std::nullopt;
  if (content.is_null()) {
    if (role == "assistant" && (message.contains("tool_calls") || message.contains("function_call")))
      return {};
    return Bad(fmt::format("Invalid value for 'content': expected a string, got null at '{}'.", where),
               where);
  }
  if (!content.is_array() || content.empty()) {
    return Bad(fmt::format("Invalid type for '{}.content': expected a string or an array.", where), where);
  }
  for (size_t i = 0; i < content.size(); ++i) {
    if (auto bad = CheckPart(content[i], fmt::format("{}.content[{}]", where, i), role == "user")) return bad;
  }
  return std::nullopt;
}

Verdict CheckToolCall(const Json& call, const std::string& where) {
  const Json& function = At(call, "function");
  if (Text(At(call, "id")).empty())
    return Bad(fmt::format("Missing required parameter: '{}.id'.", where), where);
  if (Text(At(call, "type")) != "function")
    return Bad(fmt::format("Invalid value at '{}.type'.", where), where);
  if (!IsToolName(Text(At(function, "name")), 64)) {
    return Bad(fmt::format("Invalid '{}.function.name'.", where), where);
  }
  if (!At(function, "arguments").is_string()) {
    return Bad(fmt::format("Invalid type for '{}.function.arguments': expected a string.", where), where);
  }
  return std::nullopt;
}

// Every call of an assistant message is answered by a tool message before anybody else speaks.
class ToolCallLedger {
 public:
  Verdict Take(const Json& message, const std::string& where) {
    if (Text(At(message, "role")) == "tool") {
      if (open_.erase(Text(At(message, "tool_call_id"))) > 0) return std::nullopt;
      return Bad(fmt::format("Invalid parameter: messages with role 'tool' must be a response to a preceding "
                             "message with 'tool_calls' ({}).",
                             where),
                 where);
    }
    if (auto bad = Close()) return bad;
    const Json& calls = At(message, "tool_calls");
    for (size_t i = 0; calls.is_array() && i < calls.size(); ++i) {
      if (auto bad = CheckToolCall(calls[i], fmt::format("{}.tool_calls[{}]", where, i))) return bad;
      open_.insert(Text(At(calls[i], "id")));
    }
    return std::nullopt;
  }

  Verdict Close() const {
    if (open_.empty()) return std::nullopt;
    return Bad(
        fmt::format("An assistant message with 'tool_calls' must be followed by tool messages responding to "
                    "each 'tool_call_id'. The following did not have one: {}",
                    *open_.begin()),
        "messages");
  }

 private:
  std::set<std::string> open_;
};

Verdict CheckMessages(const Json& messages) {
  if (!messages.is_array()) return Bad("Missing required parameter: 'messages'.", "messages");
  if (messages.empty()) {
    return Bad("Invalid 'messages': empty array. Expected an array with minimum length 1.", "messages");
  }
  ToolCallLedger ledger;
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string where = fmt::format("messages[{}]", i);
    const std::string role = Text(At(messages[i], "role"));
    if (!IsOneOf(role, kRoles))
      return Bad(fmt::format("Invalid value: '{}' at '{}.role'.", role, where), where);
    if (auto bad = CheckContent(messages[i], where)) return bad;
    if (auto bad = ledger.Take(messages[i], where)) return bad;
  }
  return ledger.Close();
}

Verdict CheckTools(const Json& body) {
  const Json& tools = At(body, "tools");
  const Json& choice = At(body, "tool_choice");
  if (tools.is_null()) {
    if (choice.is_null()) return std::nullopt;
    return Bad("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
               "tool_choice");
  }
  if (!tools.is_array() || tools.empty())
    return Bad("Invalid 'tools': expected an array of at least one.", "tools");
  std::set<std::string> names;
  for (size_t i = 0; i < tools.size(); ++i) {
    const std::string name = Text(At(At(tools[i], "function"), "name"));
    if (Text(At(tools[i], "type")) == "custom") continue;
    if (Text(At(tools[i], "type")) != "function" || !IsToolName(name, 64)) {
      return Bad(fmt::format("Invalid 'tools[{}].function.name' or type.", i), fmt::format("tools[{}]", i));
    }
    names.insert(name);
  }
  const std::string forced = Text(At(At(choice, "function"), "name"));
  if (choice.is_object() && names.count(forced) == 0) {
    return Bad(fmt::format("Invalid value for 'tool_choice': no tool named '{}' was specified.", forced),
               "tool_choice");
  }
  constexpr std::array<std::string_view, 3> words = {"auto", "none", "required"};
  if (choice.is_string() && !IsOneOf(Text(choice), words))
    return Bad("Invalid value: 'tool_choice'.", "tool_choice");
  return std::nullopt;
}

Verdict CheckFormat(const Json& body) {
  const Json& format = At(body, "response_format");
  if (format.is_null()) return std::nullopt;
  const std::string type = Text(At(format, "type"));
  if (type == "text") return std::nullopt;
  if (type == "json_object") {
    const std::string messages = LowerCase(Dump(At(body, "messages")));
    if (messages.find("json") != std::string::npos) return std::nullopt;
    return Bad(
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
        "'json_object'.",
        "messages");
  }
  const Json& wanted = At(format, "json_schema");
  if (type != "json_schema") return Bad(fmt::format("Invalid value: '{}'.", type), "response_format.type");
  if (!IsToolName(Text(At(wanted, "name")), 64)) {
    return Bad("Missing required parameter: 'response_format.json_schema.name'.",
               "response_format.json_schema.name");
  }
  if (!At(wanted, "schema").is_object()) {
    return Bad("Missing required parameter: 'response_format.json_schema.schema'.",
               "response_format.json_schema");
  }
  return std::nullopt;
}

Verdict CheckLimits(const Json& body) {
  const bool has_max = !At(body, "max_tokens").is_null();
  if (has_max && !At(body, "max_completion_tokens").is_null()) {
    return Bad("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
               "max_tokens");
  }
  const Json& stop = At(body, "stop");
  if (stop.is_array() && stop.size() > 4) return Bad("Invalid 'stop': array too long, at most 4.", "stop");
  if (!stop.is_null() && !stop.is_array() && !stop.is_string())
    return Bad("Invalid type for 'stop'.", "stop");
  return std::nullopt;
}

}  // namespace

Verdict CheckOpenAiBody(const Json& body, std::span<const std::string_view> more) {
  if (const auto unknown = FirstUnknown(body, kFields, more)) {
    return Bad(fmt::format("Unrecognized request argument supplied: {}", *unknown), *unknown);
  }
  if (Text(At(body, "model")).empty()) return Bad("you must provide a model parameter", "model");
  if (const RangeRow* row = FirstOutOfRange(body, kRanges)) {
    return Bad(fmt::format("Invalid value for '{}': expected a number from {} to {}.", row->field, row->least,
                           row->most),
               std::string(row->field));
  }
  for (const auto check : {&CheckOpenAiStream, &CheckLimits, &CheckTools, &CheckFormat}) {
    if (auto bad = check(body)) return bad;
  }
  return CheckMessages(At(body, "messages"));
}

}  // namespace llm_router::simulate
