// How much to think: Anthropic counts tokens, or has an effort in words; OpenAI has the words only.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "router/dialects/anthropic_messages.h"
#include "router/dialects/notes.h"

namespace llm_router::anthropic_messages {
namespace {

constexpr int64_t kLeastBudget = 1024;  // Anthropic takes no smaller one

struct EffortRow {
  std::string_view effort;
  int64_t budget;
};
constexpr EffortRow kEfforts[] = {{"minimal", 1024}, {"low", 2048},    {"medium", 8192},
                                  {"high", 16384},   {"xhigh", 24576}, {"max", 32768}};

// A turn that calls tools goes on with its own thoughts, signed, or without any.
bool GoesOnWithoutThoughts(const Chat& chat) {
  if (chat.messages.empty() || chat.messages.back().role != Role::kTool) return false;
  for (const ChatMessage& message : chat.messages | std::views::reverse) {
    if (message.role != Role::kAssistant) continue;
    return std::ranges::none_of(message.parts, [](const Part& part) {
      const auto* thought = std::get_if<ThinkingPart>(&part);
      return thought != nullptr && (!thought->signature.empty() || !thought->redacted.empty());
    });
  }
  return true;
}

bool ForcesATool(const Chat& chat) {
  return !chat.tools.empty() && chat.tool_choice &&
         (chat.tool_choice->mode == ToolChoice::Mode::kRequired ||
          chat.tool_choice->mode == ToolChoice::Mode::kNamed);
}

// Half of what the reply may hold is left for the answer.
bool RenderEffort(const Chat& chat, Json& request, Warnings& warnings) {
  const std::string effort = Excerpt(chat.reasoning->effort, 40);
  const auto row = std::ranges::find(kEfforts, chat.reasoning->effort, &EffortRow::effort);
  if (row == std::end(kEfforts) || GoesOnWithoutThoughts(chat) || ForcesATool(chat)) {
    AddNote(warnings, fmt::format("reasoning_effort {} dropped", effort));
    return false;
  }
  int64_t budget = row->budget;
  if (!chat.max_tokens) request["max_tokens"] = request["max_tokens"].get<int64_t>() + budget;
  budget = std::min(budget, request["max_tokens"].get<int64_t>() / 2);
  if (chat.max_tokens && budget < kLeastBudget) {
    AddNote(warnings, fmt::format("reasoning_effort {} dropped: max_tokens leaves no room to think", effort));
    return false;
  }
  request["thinking"] = {{"type", "enabled"}, {"budget_tokens", budget}};
  AddNote(warnings, fmt::format("reasoning_effort {} sent as a budget of {} tokens", effort, budget));
  return true;
}

}  // namespace

absl::Status ParseReasoning(const Node& request, Chat& chat) {
  Reasoning reasoning;
  const auto thinking = request.Find("thinking");
  if (thinking) {
    const std::string_view type = thinking->Type();
    reasoning.off = type == "disabled";
    reasoning.adaptive = type == "adaptive";
    if (type == "enabled") {
      RETURN_IF_ERROR(thinking->Read("budget_tokens", reasoning.budget));
      if (reasoning.budget.value_or(0) < 1) return thinking->Wrong("budget_tokens", "must be above 0");
    } else if (!reasoning.off && !reasoning.adaptive) {
      return thinking->Wrong("type", "must be enabled, disabled or adaptive");
    }
    if (thinking->Find("display")) AddNote(chat.unknown, "thinking.display");
  }
  const auto config = request.Find("output_config");
  if (config) RETURN_IF_ERROR(config->Read("effort", reasoning.effort));
  if (thinking || !reasoning.effort.empty()) chat.reasoning = std::move(reasoning);
  return absl::OkStatus();
}

bool RenderReasoning(const Chat& chat, Json& request, Warnings& warnings) {
  if (!chat.reasoning) return false;
  const Reasoning& reasoning = *chat.reasoning;
  if (reasoning.off || reasoning.effort == "none") {
    request["thinking"] = {{"type", "disabled"}};
    return false;
  }
  if (reasoning.budget) request["thinking"] = {{"type", "enabled"}, {"budget_tokens", *reasoning.budget}};
  if (reasoning.adaptive) request["thinking"] = {{"type", "adaptive"}};
  if (!reasoning.budget && !reasoning.adaptive) return RenderEffort(chat, request, warnings);
  if (!reasoning.effort.empty()) request["output_config"]["effort"] = reasoning.effort;
  return true;
}

}  // namespace llm_router::anthropic_messages
