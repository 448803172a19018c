#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/ids.h"
#include "router/simulate/api.h"
#include "router/simulate/checks.h"
#include "router/simulate/openai_checks.h"

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

void ReadStops(const Json& stop, Conversation& conversation) {
  if (stop.is_string()) conversation.stops.push_back(Text(stop));
  for (size_t i = 0; stop.is_array() && i < stop.size(); ++i) conversation.stops.push_back(Text(stop[i]));
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
    if (name == "model" || name == "messages" || name == "tools" || name == "stream" || value.is_null())
      continue;
    conversation.parameters[name] = Dump(value);
  }
}

std::string FinishReason(const Answer& answer) {
  if (!answer.finish_word.empty()) return answer.finish_word;
  switch (answer.finish) {
    case Finish::kLength:
      return "length";
    case Finish::kToolCalls:
      return "tool_calls";
    default:
      return "stop";
  }
}

Json RenderMessage(const Answer& answer) {
  Json message = {
      {"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}, {"annotations", Json::array()}};
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

std::string ErrorType(int status) {
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

Json ErrorCode(int status) {
  switch (status) {
    case 401:
      return "invalid_api_key";
    case 404:
      return "model_not_found";
    case 429:
      return "rate_limit_exceeded";
    default:
      return nullptr;
  }
}

class OpenAi final : public Api {
 public:
  Verdict CheckHead(const HttpRequest& request) const override {
    if (request.method == "POST" && !IsJsonType(HeaderOr(request.headers, "content-type"))) {
      return Refusal(415, "Unsupported content type. Use 'application/json'.");
    }
    return std::nullopt;
  }

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
    ReadStops(At(body, "stop"), conversation);
    ReadParameters(body, conversation);
    conversation.max_tokens = Limit(body);
    if (const Json& n = At(body, "n"); n.is_number_unsigned()) {
      conversation.choices = static_cast<int>(std::clamp<uint64_t>(n.get<uint64_t>(), 1, 128));
    }
    return conversation;
  }

  std::string Render(const Conversation& conversation, const Answer& answer) const override {
    Json choices = Json::array();
    for (int i = 0; i < conversation.choices; ++i) {
      choices.push_back({{"index", i},
                         {"message", RenderMessage(answer)},
                         {"logprobs", nullptr},
                         {"finish_reason", FinishReason(answer)}});
    }
    const size_t output = answer.output_tokens * static_cast<size_t>(conversation.choices);
    return Dump({{"id", "chatcmpl-" + NewId()},
                 {"object", "chat.completion"},
                 {"created", UnixMillis() / 1000},
                 {"model", conversation.model},
                 {"choices", std::move(choices)},
                 {"usage",
                  {{"prompt_tokens", answer.input_tokens},
                   {"completion_tokens", output},
                   {"total_tokens", answer.input_tokens + output}}},
                 {"service_tier", "default"},
                 {"system_fingerprint", "fp_simulated"}});
  }

  std::string RenderModels() const override {
    Json models = Json::array();
    for (const char* id : {"gpt-4o", "gpt-4o-mini", "gpt-4.1"}) {
      models.push_back({{"id", id}, {"object", "model"}, {"created", 1715367049}, {"owned_by", "simulated"}});
    }
    return Dump({{"object", "list"}, {"data", std::move(models)}});
  }

  std::string RenderError(const Refusal& refusal, const std::string&) const override {
    const Json param = refusal.param.empty() ? Json() : Json(refusal.param);
    return Dump({{"error",
                  {{"message", refusal.message},
                   {"type", ErrorType(refusal.status)},
                   {"param", param},
                   {"code", ErrorCode(refusal.status)}}}});
  }

  std::string_view request_id_header() const override { return "x-request-id"; }
};

}  // namespace

const Api& OpenAiApi() {
  static const OpenAi api;
  return api;
}

}  // namespace llm_router::simulate
