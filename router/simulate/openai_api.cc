#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "router/simulate/api.h"
#include "router/simulate/openai_base.h"
#include "router/simulate/openai_checks.h"
#include "router/simulate/openai_stream.h"

namespace llm_router::simulate {
namespace {

std::string DescribePart(const Json& part) {
  const std::string type = Text(At(part, "type"));
  if (type == "text") return Text(At(part, "text"));
  if (type == "refusal") return Text(At(part, "refusal"));
  if (type != "image_url") return fmt::format("[{}]", type);
  const std::string url = Text(At(At(part, "image_url"), "url"));
  const auto comma = url.find(";base64,");
  if (url.compare(0, 5, "data:") != 0 || comma == std::string::npos) return fmt::format("[image {}]", url);
  return DescribeImage(url.substr(5, comma - 5), url.substr(comma + 8));
}

std::string DescribeContent(const Json& content) {
  if (content.is_string()) return Text(content);
  std::string text;
  for (const Json& part : content) {
    const std::string described = DescribePart(part);
    text += (text.empty() || described.empty() ? "" : " ") + described;
  }
  return text;
}

Turn ReadMessage(const Json& message) {
  Turn turn{Text(At(message, "role")), DescribeContent(At(message, "content"))};
  if (turn.role == "function") turn.role = "tool";
  const Json& calls = At(message, "tool_calls");
  for (size_t i = 0; calls.is_array() && i < calls.size(); ++i) {
    const Json& function = At(calls[i], "function");
    turn.text += fmt::format("{}[calls {}({})]", turn.text.empty() ? "" : " ", Text(At(function, "name")),
                             Text(At(function, "arguments")));
  }
  return turn;
}

void ReadTools(const Json& body, Conversation& conversation) {
  const Json& tools = At(body, "tools");
  for (size_t i = 0; tools.is_array() && i < tools.size(); ++i) {
    const Json& function = At(tools[i], "function");
    conversation.tools.push_back({Text(At(function, "name")), &At(function, "parameters")});
  }
  const Json& choice = At(body, "tool_choice");
  conversation.forced_tool = Text(At(At(choice, "function"), "name"));
  if (Text(choice) == "none") conversation.tool_use = ToolUse::kNone;
  if (Text(choice) == "required" || choice.is_object()) conversation.tool_use = ToolUse::kRequired;
}

void ReadFormat(const Json& format, Conversation& conversation) {
  const std::string type = Text(At(format, "type"));
  conversation.wants_json = type == "json_object" || type == "json_schema";
  if (type == "json_schema") conversation.schema = &At(At(format, "json_schema"), "schema");
}

size_t Limit(const Json& body) {
  for (const char* name : {"max_completion_tokens", "max_tokens"}) {
    const Json& value = At(body, name);
    if (value.is_number_unsigned()) return value.get<size_t>();
  }
  return 0;
}

void ReadParameters(const Json& body, Conversation& conversation) {
  for (const auto& [name, value] : body.items()) {
    if (name == "model" || name == "messages" || name == "tools" || name == "stream" ||
        name == "stream_options" || value.is_null()) {
      continue;
    }
    conversation.parameters[name] = Dump(value);
  }
}

// What it keeps of a long prompt unasked.
size_t WordsOfSystem(const Conversation& conversation) {
  size_t words = 0;
  for (const Turn& turn : conversation.turns) {
    if (turn.role == "system" || turn.role == "developer") words += CountWords(turn.text);
  }
  return words;
}

Json RenderMessage(const Answer& answer) {
  Json message = {
      {"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}, {"annotations", Json::array()}};
  if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
  if (answer.calls.empty()) {
    message["content"] = answer.text;
    return message;
  }
  for (const CalledTool& call : answer.calls) {
    message["tool_calls"].push_back({{"id", "call_" + call.id},
                                     {"type", "function"},
                                     {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return message;
}

class OpenAi final : public OpenAiBase {
 public:
  Verdict CheckBody(const Json& body, std::span<const std::string_view> more) const override {
    return CheckOpenAiBody(body, more);
  }

  Conversation Read(const Json& body) const override {
    Conversation conversation;
    conversation.api = "openai";
    conversation.model = Text(At(body, "model"));
    const Json& messages = At(body, "messages");
    for (size_t i = 0; messages.is_array() && i < messages.size(); ++i) {
      conversation.turns.push_back(ReadMessage(messages[i]));
    }
    ReadTools(body, conversation);
    ReadFormat(At(body, "response_format"), conversation);
    ReadOpenAiStops(At(body, "stop"), conversation);
    ReadOpenAiStream(body, conversation);
    ReadParameters(body, conversation);
    conversation.max_tokens = Limit(body);
    conversation.choices = ReadOpenAiChoices(body);
    conversation.cacheable = WordsOfSystem(conversation);
    return conversation;
  }

  std::string Render(const Conversation& conversation, const Answer& answer) const override {
    Json choices = Json::array();
    for (int i = 0; i < conversation.choices; ++i) {
      choices.push_back({{"index", i},
                         {"message", RenderMessage(answer)},
                         {"logprobs", nullptr},
                         {"finish_reason", OpenAiFinishReason(answer)}});
    }
    return Dump({{"id", "chatcmpl-" + NewId()},
                 {"object", "chat.completion"},
                 {"created", UnixMillis() / 1000},
                 {"model", conversation.model},
                 {"choices", std::move(choices)},
                 {"usage", OpenAiUsage(conversation, answer)},
                 {"service_tier", "default"},
                 {"system_fingerprint", "fp_simulated"}});
  }

  std::unique_ptr<StreamWriter> Stream(const Conversation& conversation,
                                       const Answer& answer) const override {
    return NewOpenAiStream(conversation, answer);
  }
};

}  // namespace

const Api& OpenAiApi() {
  static const OpenAi api;
  return api;
}

}  // namespace llm_router::simulate
