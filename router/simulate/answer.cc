#include "router/simulate/answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "router/simulate/schema_example.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kMaxTokens = 1'000'000;

// The first `most` words of `text`.
std::string_view FirstWords(std::string_view text, size_t most) {
  size_t words = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsSpace(text[i]) && !inside && ++words > most) {
      return text.substr(0, text.find_last_not_of(" \n\t\r", i - 1) + 1);
    }
    inside = !IsSpace(text[i]);
  }
  return text;
}

const Turn* LastTurn(const Conversation& conversation) {
  return conversation.turns.empty() ? nullptr : &conversation.turns.back();
}

std::string LastUserText(const Conversation& conversation) {
  for (auto turn = conversation.turns.rbegin(); turn != conversation.turns.rend(); ++turn) {
    if (turn->role == "user") return turn->text;
  }
  return {};
}

// The word that follows `key` in `text`: "call:add" gives "add".
std::string_view WordAfter(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + key.size());
  size_t end = 0;
  while (end < rest.size() &&
         (std::isalnum(static_cast<unsigned char>(rest[end])) != 0 || rest[end] == '_' || rest[end] == '-')) {
    ++end;
  }
  return rest.substr(0, end);
}

std::string DescribeTurns(const Conversation& conversation) {
  const auto& turns = conversation.turns;
  if (turns.size() == 1 && turns.front().role == "user") return "messages=1";
  std::string list;
  for (const Turn& turn : turns) {
    if (!list.empty()) list += ", ";
    list += fmt::format("{}: {}", turn.role, Quote(turn.text, 80));
  }
  return fmt::format("messages=[{}]", list);
}

std::string DescribeRequest(const Conversation& conversation) {
  std::string described = DescribeTurns(conversation);
  for (const auto& [name, value] : conversation.parameters) {
    described += value.size() <= 120 ? fmt::format(" {}={}", name, value)
                                     : fmt::format(" {}={}", name, Quote(value, 80));
  }
  if (conversation.tools.empty()) return described;
  std::string names;
  for (const Tool& tool : conversation.tools) names += (names.empty() ? "" : ",") + tool.name;
  return fmt::format("{} tools={}", described, names);
}

std::string PlainText(const Conversation& conversation) {
  const Turn* last = LastTurn(conversation);
  const bool tool_spoke = last != nullptr && last->role == "tool";
  const std::string said = tool_spoke ? last->text : LastUserText(conversation);
  return fmt::format("[simulated {} {}] {}: {} ({})", conversation.api, conversation.model,
                     tool_spoke ? "The tool said" : "You said", Quote(said), DescribeRequest(conversation));
}

std::string JsonText(const Conversation& conversation) {
  const std::string said = LastUserText(conversation);
  if (conversation.schema != nullptr) return Dump(ExampleOf(*conversation.schema, said));
  return Dump(Json{{"simulated", conversation.api},
                   {"model", conversation.model},
                   {"you_said", said},
                   {"request", DescribeRequest(conversation)}});
}

// The arguments that the message gives behind the tool's name, else such as its schema wants.
std::string ArgumentsFor(const Tool& tool, const std::string& said) {
  const std::string key = "call:" + tool.name;
  const auto brace =
      said.find_first_not_of(" ", std::min(said.find(key), said.size() - key.size()) + key.size());
  if (said.find(key) != std::string::npos && brace != std::string::npos && said[brace] == '{') {
    for (size_t end = said.find('}', brace); end != std::string::npos; end = said.find('}', end + 1)) {
      const Json given = Json::parse(said.substr(brace, end - brace + 1), nullptr, false);
      if (given.is_object()) return Dump(given);
    }
  }
  const Json none = Json::object({{"type", "object"}});
  return Dump(ExampleOf(tool.schema == nullptr || !tool.schema->is_object() ? none : *tool.schema, said));
}

bool IsCalled(const Conversation& conversation, const Tool& tool, std::string_view said) {
  if (!conversation.forced_tool.empty()) return tool.name == conversation.forced_tool;
  for (size_t at = said.find("call:"); at != std::string_view::npos; at = said.find("call:", at + 1)) {
    if (WordAfter(said.substr(at), "call:") == tool.name) return true;
  }
  return false;
}

std::vector<CalledTool> CallTools(const Conversation& conversation) {
  std::vector<CalledTool> calls;
  const Turn* last = LastTurn(conversation);
  if (conversation.tool_use == ToolUse::kNone || last == nullptr || last->role != "user") return calls;
  const auto call = [&](const Tool& tool) {
    calls.push_back({fmt::format("sim_{}", calls.size() + 1), tool.name, ArgumentsFor(tool, last->text)});
  };
  for (const Tool& tool : conversation.tools) {
    if (IsCalled(conversation, tool, last->text)) call(tool);
  }
  if (calls.empty() && conversation.tool_use == ToolUse::kRequired && !conversation.tools.empty()) {
    call(conversation.tools.front());
  }
  return calls;
}

void CutAtStops(const Conversation& conversation, Answer& answer) {
  for (const std::string& stop : conversation.stops) {
    const auto at = stop.empty() ? std::string::npos : answer.text.find(stop);
    if (at == std::string::npos) continue;
    answer.text.resize(at);
    answer.finish = Finish::kStopSequence;
    answer.stop_sequence = stop;
  }
}

void CutAtLimit(const Conversation& conversation, Answer& answer) {
  if (conversation.max_tokens == 0) return;
  const std::string_view kept = FirstWords(answer.text, conversation.max_tokens);
  if (kept.size() == answer.text.size()) return;
  answer.text.resize(kept.size());
  answer.finish = Finish::kLength;
}

void Lengthen(std::string& text, size_t tokens) {
  const size_t words = CountWords(text);
  for (size_t i = words; i < std::min(tokens, kMaxTokens); ++i) text += fmt::format(" word{}", i + 1);
}

// What was to be kept was kept before when the message says `cache:hit`.
void CountInput(const Conversation& conversation, const std::string& said, Answer& answer) {
  for (const Turn& turn : conversation.turns) answer.input_tokens += CountWords(turn.text);
  const bool kept = WordAfter(said, "cache:") == "hit";
  (kept ? answer.cache_read : answer.cache_written) = std::min(conversation.cacheable, answer.input_tokens);
}

void Reason(const std::string& said, Answer& answer) {
  const std::string_view word = WordAfter(said, "reasoning:");
  if (word.empty()) return;
  answer.reasoning = fmt::format("Let me think about {} first.", word);
  answer.reasoning_tokens = CountWords(answer.reasoning);
  answer.output_tokens += answer.reasoning_tokens;
}

Answer AnswerOne(const Conversation& conversation, size_t tokens) {
  Answer answer;
  const std::string said = LastUserText(conversation);
  CountInput(conversation, said, answer);
  answer.calls = CallTools(conversation);
  if (!answer.calls.empty()) {
    answer.finish = Finish::kToolCalls;
    for (const CalledTool& call : answer.calls) answer.output_tokens += 1 + CountWords(call.arguments);
  } else {
    answer.text = conversation.wants_json ? JsonText(conversation) : PlainText(conversation);
    if (!conversation.wants_json) Lengthen(answer.text, tokens);
    CutAtStops(conversation, answer);
    CutAtLimit(conversation, answer);
    answer.output_tokens = CountWords(answer.text);
  }
  Reason(said, answer);
  answer.finish_word = WordAfter(said, "finish:");
  if (conversation.echo) answer.text = LastUserText(conversation) + answer.text;
  return answer;
}

}  // namespace

Answer ComputeAnswer(const Conversation& conversation, size_t tokens) {
  if (!conversation.apart || conversation.turns.size() < 2) return AnswerOne(conversation, tokens);
  std::vector<Answer> answers;
  for (const Turn& turn : conversation.turns) {
    Conversation one = conversation;
    one.turns = {turn};
    answers.push_back(AnswerOne(one, tokens));
  }
  Answer first = std::move(answers.front());
  first.others.assign(std::make_move_iterator(answers.begin() + 1), std::make_move_iterator(answers.end()));
  return first;
}

}  // namespace llm_router::simulate
