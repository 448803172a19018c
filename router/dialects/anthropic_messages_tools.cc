#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

absl::Status ParseTool(const Node& tool, Chat& chat) {
  if (!tool.IsObject()) return tool.Wrong("must be an object");
  if (const std::string_view type = tool.Type(); !type.empty() && type != "custom") {
    AddNote(chat.unknown, fmt::format("tool of type {}", Excerpt(type, 40)));
    return absl::OkStatus();
  }
  Tool parsed;
  RETURN_IF_ERROR(tool.ReadObject("cache_control", parsed.cache));
  RETURN_IF_ERROR(tool.Require("name", parsed.name));
  RETURN_IF_ERROR(tool.Read("description", parsed.description));
  if (!tool.Find("input_schema")) return tool.Wrong("input_schema", "must be an object");
  RETURN_IF_ERROR(tool.ReadObject("input_schema", parsed.parameters));
  RETURN_IF_ERROR(tool.Read("strict", parsed.strict));
  chat.tools.push_back(std::move(parsed));
  return absl::OkStatus();
}

absl::Status ParseChoice(const Node& choice, Chat& chat) {
  const std::string_view type = choice.Type();
  ToolChoice& parsed = chat.tool_choice.emplace();
  if (type == "none") parsed.mode = ToolChoice::Mode::kNone;
  if (type == "any") parsed.mode = ToolChoice::Mode::kRequired;
  if (type == "tool") {
    parsed.mode = ToolChoice::Mode::kNamed;
    RETURN_IF_ERROR(choice.Require("name", parsed.name));
  } else if (type != "auto" && type != "any" && type != "none") {
    return choice.Wrong("must be an object whose type is auto, any, tool or none");
  }
  std::optional<bool> one_at_a_time;
  RETURN_IF_ERROR(choice.Read("disable_parallel_tool_use", one_at_a_time));
  if (one_at_a_time) chat.parallel_tool_calls = !*one_at_a_time;
  return absl::OkStatus();
}

Json RenderTool(const Tool& tool) {
  Json json = {{"name", tool.name}};
  if (!tool.description.empty()) json["description"] = tool.description;
  Json schema = ObjectOrNull(tool.parameters);
  if (schema.is_null()) schema = {{"type", "object"}, {"properties", Json::object()}};
  json["input_schema"] = std::move(schema);
  if (tool.strict.value_or(false)) json["strict"] = true;
  return WithMark(std::move(json), tool.cache);
}

Json RenderChoice(const Chat& chat) {
  const ToolChoice choice = chat.tool_choice.value_or(ToolChoice());
  if (choice.mode == ToolChoice::Mode::kNone) return {{"type", "none"}};
  Json json = {{"type", "auto"}};
  if (choice.mode == ToolChoice::Mode::kRequired) json["type"] = "any";
  if (choice.mode == ToolChoice::Mode::kNamed) json = {{"type", "tool"}, {"name", choice.name}};
  if (chat.parallel_tool_calls) json["disable_parallel_tool_use"] = !*chat.parallel_tool_calls;
  return json;
}

bool IsIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

absl::Status ParseTools(const Node& request, Chat& chat) {
  RETURN_IF_ERROR(request.ForEach("tools", [&](const Node& tool) { return ParseTool(tool, chat); }));
  const auto choice = request.Find("tool_choice");
  return choice ? ParseChoice(*choice, chat) : absl::OkStatus();
}

void RenderTools(const Chat& chat, Json& request, Warnings& warnings) {
  if (!HasTools(chat, warnings)) return;
  Json tools = Json::array();
  for (const Tool& tool : chat.tools) tools.push_back(RenderTool(tool));
  request["tools"] = std::move(tools);
  if (chat.tool_choice || chat.parallel_tool_calls) request["tool_choice"] = RenderChoice(chat);
}

std::string ToolUseId(const std::string& id) {
  std::string clean = id;
  std::ranges::replace_if(clean, [](char c) { return !IsIdCharacter(c); }, '_');
  return clean;
}

// Models write arguments that are no JSON now and then; Anthropic takes an object only.
Json InputOf(const std::string& arguments, Warnings& warnings) {
  if (arguments.empty()) return Json::object();
  Json input = ObjectOrNull(arguments);
  if (!input.is_null()) return input;
  AddNote(warnings, "arguments of a tool call are no JSON object, sent as the text \"arguments\" in one");
  return {{"arguments", arguments}};
}

Json RenderToolUse(const ToolCallPart& call, Warnings& warnings) {
  return WithMark({{"type", "tool_use"},
                   {"id", ToolUseId(call.id)},
                   {"name", call.name},
                   {"input", InputOf(call.arguments, warnings)}},
                  call.cache);
}

}  // namespace llm_router::anthropic_messages
