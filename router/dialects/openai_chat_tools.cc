#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/notes.h"
#include "router/dialects/openai_chat.h"

namespace llm_router::openai_chat {
namespace {

absl::Status ParseFunction(const Node& function, Chat& chat) {
  Tool tool;
  RETURN_IF_ERROR(function.Require("name", tool.name));
  RETURN_IF_ERROR(function.Read("description", tool.description));
  RETURN_IF_ERROR(function.ReadObject("parameters", tool.parameters));
  RETURN_IF_ERROR(function.Read("strict", tool.strict));
  chat.tools.push_back(std::move(tool));
  return absl::OkStatus();
}

absl::Status ParseTool(const Node& tool, Chat& chat) {
  const std::string_view type = tool.Type();
  if (type.empty()) return tool.Wrong("must be an object with a type");
  if (type != "function") {
    AddNote(chat.unknown, fmt::format("tool of type {}", Excerpt(type, 40)));
    return absl::OkStatus();
  }
  const auto function = tool.Find("function");
  if (!function) return tool.Wrong("function", "must be an object with a name");
  return ParseFunction(*function, chat);
}

absl::Status ParseNamedChoice(const Node& choice, Chat& chat) {
  const std::string_view type = choice.Type();
  if (type != "function") {
    if (type.empty()) return choice.Wrong("must be auto, none, required or an object with a type");
    AddNote(chat.unknown, fmt::format("tool_choice of type {}", Excerpt(type, 40)));
    return absl::OkStatus();
  }
  const auto function = choice.Find("function");
  if (!function) return choice.Wrong("function", "must be an object with a name");
  chat.tool_choice.emplace();
  chat.tool_choice->mode = ToolChoice::Mode::kNamed;
  return function->Require("name", chat.tool_choice->name);
}

absl::Status ParseChoice(const Node& request, Chat& chat) {
  const auto choice = request.Find("tool_choice");
  if (!choice) return absl::OkStatus();
  if (!choice->IsString()) return ParseNamedChoice(*choice, chat);
  const std::string_view word = choice->AsString();
  chat.tool_choice.emplace();
  if (word == "auto") return absl::OkStatus();
  if (word != "none" && word != "required")
    return choice->Wrong("must be auto, none, required or an object with a type");
  chat.tool_choice->mode = word == "none" ? ToolChoice::Mode::kNone : ToolChoice::Mode::kRequired;
  return absl::OkStatus();
}

// The fields of old. Their calls come back as tool_calls, which such a caller has to know.
absl::Status ParseFunctions(const Node& request, Chat& chat) {
  const auto functions = request.Find("functions");
  if (functions) {
    RETURN_IF_ERROR(functions->Items([&](const Node& function) { return ParseFunction(function, chat); }));
    AddNote(chat.unknown, "function_call form of replies");
  }
  const auto choice = request.Find("function_call");
  if (!choice) return absl::OkStatus();
  chat.tool_choice.emplace();
  if (choice->IsObject()) {
    chat.tool_choice->mode = ToolChoice::Mode::kNamed;
    return choice->Require("name", chat.tool_choice->name);
  }
  if (!choice->IsString() || (choice->AsString() != "auto" && choice->AsString() != "none"))
    return choice->Wrong("must be auto, none or an object with a name");
  if (choice->AsString() == "none") chat.tool_choice->mode = ToolChoice::Mode::kNone;
  return absl::OkStatus();
}

Json RenderChoice(const ToolChoice& choice) {
  switch (choice.mode) {
    case ToolChoice::Mode::kNone:
      return "none";
    case ToolChoice::Mode::kRequired:
      return "required";
    case ToolChoice::Mode::kNamed:
      return {{"type", "function"}, {"function", {{"name", choice.name}}}};
    case ToolChoice::Mode::kAuto:
      break;
  }
  return "auto";
}

Json RenderTool(const Tool& tool) {
  Json function = {{"name", tool.name}};
  if (!tool.description.empty()) function["description"] = tool.description;
  if (!tool.parameters.empty()) function["parameters"] = ObjectOrNull(tool.parameters);
  if (tool.strict) function["strict"] = *tool.strict;
  return {{"type", "function"}, {"function", std::move(function)}};
}

}  // namespace

absl::Status ParseTools(const Node& request, Chat& chat) {
  RETURN_IF_ERROR(request.ForEach("tools", [&](const Node& tool) { return ParseTool(tool, chat); }));
  RETURN_IF_ERROR(ParseFunctions(request, chat));
  RETURN_IF_ERROR(ParseChoice(request, chat));
  return request.Read("parallel_tool_calls", chat.parallel_tool_calls);
}

void RenderTools(const Chat& chat, Json& request, Warnings& warnings) {
  if (!HasTools(chat, warnings)) return;
  Json tools = Json::array();
  for (const Tool& tool : chat.tools) {
    if (!tool.cache.empty()) AddNote(warnings, "cache_control dropped");
    tools.push_back(RenderTool(tool));
  }
  request["tools"] = std::move(tools);
  if (chat.tool_choice) request["tool_choice"] = RenderChoice(*chat.tool_choice);
  if (chat.parallel_tool_calls) request["parallel_tool_calls"] = *chat.parallel_tool_calls;
}

absl::Status ParseToolCall(const Node& call, std::vector<Part>& parts, std::vector<std::string>& unknown) {
  if (!call.IsObject()) return call.Wrong("must be an object");
  if (const std::string_view type = call.Type(); !type.empty() && type != "function") {
    AddNote(unknown, fmt::format("tool call of type {}", Excerpt(type, 40)));
    return absl::OkStatus();
  }
  ToolCallPart part;
  RETURN_IF_ERROR(call.Read("id", part.id));
  const auto function = call.Find("function");
  if (!function) return call.Wrong("function", "must be an object with a name");
  RETURN_IF_ERROR(function->Require("name", part.name));
  RETURN_IF_ERROR(function->Read("arguments", part.arguments));
  parts.emplace_back(std::move(part));
  return absl::OkStatus();
}

Json RenderToolCall(const ToolCallPart& call) {
  return {{"id", call.id},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", call.arguments.empty() ? "{}" : call.arguments}}}};
}

}  // namespace llm_router::openai_chat
