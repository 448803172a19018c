#include "client/frame_text.h"

#include <nlohmann/json.hpp>

#include "proto/contract.h"

namespace llm_router::client {
namespace {

using Json = nlohmann::json;

const Json& At(const Json& json, std::string_view key) {
  static const Json kNone;
  if (!json.is_object()) return kNone;
  const auto found = json.find(key);
  return found == json.end() ? kNone : *found;
}

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

std::string TextOfOpenAi(const Json& chunk) {
  const Json& choices = At(chunk, "choices");
  if (!choices.is_array() || choices.empty()) return {};
  return TextOf(At(At(choices.front(), "delta"), "content"));
}

std::string TextOfAnthropic(const Json& event) { return TextOf(At(At(event, "delta"), "text")); }

}  // namespace

std::string FrameText::Take(std::string_view frames) const {
  constexpr std::string_view kData = "data:";
  const bool is_openai = dialect_ == contract::dialect::kOpenAiChat;
  if (!is_openai && dialect_ != contract::dialect::kAnthropicMessages) return {};
  std::string text;
  while (!frames.empty()) {
    const std::string_view line = frames.substr(0, frames.find('\n'));
    frames.remove_prefix(std::min(frames.size(), line.size() + 1));
    if (!line.starts_with(kData)) continue;
    const Json json = Json::parse(line.substr(kData.size()), nullptr, false);
    text += is_openai ? TextOfOpenAi(json) : TextOfAnthropic(json);
  }
  return text;
}

}  // namespace llm_router::client
