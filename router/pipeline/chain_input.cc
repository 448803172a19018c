#include "router/pipeline/chain_input.h"

#include <algorithm>

#include "router/dialects/notes.h"

namespace llm_router {
namespace {

std::string TextOf(const ChatMessage& message, Warnings& warnings) {
  std::string text;
  for (const Part& part : message.parts) {
    if (const auto* said = std::get_if<TextPart>(&part)) {
      text += said->text;
    } else {
      AddNote(warnings, "images and tool results dropped");
    }
  }
  return text;
}

void WarnOfParameters(const Chat& chat, Warnings& warnings) {
  const std::pair<const char*, bool> given[] = {
      {"top_p", chat.top_p.has_value()},
      {"top_k", chat.top_k.has_value()},
      {"frequency_penalty", chat.frequency_penalty.has_value()},
      {"presence_penalty", chat.presence_penalty.has_value()},
      {"seed", chat.seed.has_value()},
      {"n", chat.n.value_or(1) > 1},
      {"stop", !chat.stop.empty()},
      {"tools", !chat.tools.empty()},
      {"response_format", chat.response_format.has_value()},
      {"user", !chat.user.empty()},
  };
  for (const auto& [name, is_given] : given) {
    if (is_given) AddNote(warnings, std::string(name) + " dropped");
  }
  WarnOfUnknown(chat.unknown, warnings);
}

}  // namespace

ChainInput ReadChainInput(const Chat& chat, Warnings& warnings) {
  ChainInput input;
  input.temperature = chat.temperature;
  input.max_tokens = chat.max_tokens;
  const auto last = std::find_if(chat.messages.rbegin(), chat.messages.rend(),
                                 [](const ChatMessage& message) { return message.role == Role::kUser; });
  if (last != chat.messages.rend()) input.text = TextOf(*last, warnings);
  for (const ChatMessage& message : chat.messages) {
    if (message.role == Role::kSystem) {
      if (!input.system.empty()) input.system += "\n\n";
      input.system += TextOf(message, warnings);
    } else if (last == chat.messages.rend() || &message != &*last) {
      AddNote(warnings, "all but the last user message dropped");
    }
  }
  WarnOfParameters(chat, warnings);
  return input;
}

}  // namespace llm_router
