#include "router/simulate/openai_prompts.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "router/simulate/checks.h"
#include "router/simulate/openai_base.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kMaxPrompts = 2048;

constexpr std::array<std::string_view, 18> kCompletionFields = {
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "model",
    "n",
    "presence_penalty",
    "prompt",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
};
constexpr std::array<std::string_view, 5> kEmbeddingFields = {"dimensions", "encoding_format", "input",
                                                              "model", "user"};

constexpr std::array<RangeRow, 8> kRanges = {{
    {"best_of", 1, 20, true},
    {"frequency_penalty", -2, 2, false},
    {"logprobs", 0, 5, true},
    {"max_tokens", 0, 1e9, true},
    {"n", 1, 128, true},
    {"presence_penalty", -2, 2, false},
    {"temperature", 0, 2, false},
    {"top_p", 0, 1, false},
}};
constexpr std::array<RangeRow, 1> kDimensions = {{{"dimensions", 1, 3072, true}}};

Refusal Bad(std::string message, std::string param) { return {400, std::move(message), std::move(param)}; }

bool AreTokens(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::ranges::all_of(value, [](const Json& token) { return token.is_number_unsigned(); });
}

std::string TextOf(const Json& tokens) {
  std::string text;
  for (const Json& token : tokens) text += fmt::format("{}{}", text.empty() ? "" : " ", Dump(token));
  return text;
}

// A text or a list of tokens that is one prompt.
std::optional<std::string> PromptOf(const Json& value) {
  if (value.is_string()) return Text(value);
  return AreTokens(value) ? std::optional(TextOf(value)) : std::nullopt;
}

Verdict CheckPrompts(const Json& prompts, const char* name, bool may_be_empty) {
  if (prompts.is_null()) return Bad(fmt::format("Missing required parameter: '{}'.", name), name);
  const auto found = PromptsOf(prompts);
  if (found.empty())
    return Bad(fmt::format("'$.{}' is invalid. Please check the API reference.", name), name);
  if (found.size() > kMaxPrompts)
    return Bad(fmt::format("Invalid '{}': array too long, at most {}.", name, kMaxPrompts), name);
  if (!may_be_empty && std::ranges::any_of(found, &std::string::empty))
    return Bad(fmt::format("Invalid '{}': input cannot be an empty string.", name), name);
  return std::nullopt;
}

Verdict CheckCommon(const Json& body, std::span<const std::string_view> known,
                    std::span<const std::string_view> more, std::span<const RangeRow> ranges) {
  if (const auto unknown = FirstUnknown(body, known, more))
    return Bad(fmt::format("Unrecognized request argument supplied: {}", *unknown), *unknown);
  if (Text(At(body, "model")).empty()) return Bad("you must provide a model parameter", "model");
  if (const RangeRow* row = FirstOutOfRange(body, ranges)) {
    return Bad(fmt::format("Invalid value for '{}': expected a number from {} to {}.", row->field, row->least,
                           row->most),
               std::string(row->field));
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> PromptsOf(const Json& prompt) {
  if (auto one = PromptOf(prompt)) return {*std::move(one)};
  std::vector<std::string> prompts;
  for (size_t i = 0; prompt.is_array() && i < prompt.size(); ++i) {
    auto one = PromptOf(prompt[i]);
    if (!one.has_value()) return {};
    prompts.push_back(*std::move(one));
  }
  return prompts;
}

Verdict CheckOpenAiCompletion(const Json& body, std::span<const std::string_view> more) {
  if (auto bad = CheckCommon(body, kCompletionFields, more, kRanges)) return bad;
  if (auto bad = CheckOpenAiStream(body)) return bad;
  const Json& echo = At(body, "echo");
  if (!echo.is_null() && !echo.is_boolean())
    return Bad("Invalid type for 'echo': expected a boolean.", "echo");
  const Json& best_of = At(body, "best_of");
  if (best_of.is_number() && best_of < ReadOpenAiChoices(body))
    return Bad("'best_of' must be greater than or equal to 'n'.", "best_of");
  return CheckPrompts(At(body, "prompt"), "prompt", true);
}

Verdict CheckOpenAiEmbedding(const Json& body, std::span<const std::string_view> more) {
  if (auto bad = CheckCommon(body, kEmbeddingFields, more, kDimensions)) return bad;
  const Json& format = At(body, "encoding_format");
  if (!format.is_null() && format != "float" && format != "base64") {
    return Bad(fmt::format("Invalid value for 'encoding_format': {}. Use 'float' or 'base64'.", Dump(format)),
               "encoding_format");
  }
  if (!At(body, "dimensions").is_null() && Text(At(body, "model")) == "text-embedding-ada-002")
    return Bad("This model does not support specifying dimensions.", "dimensions");
  return CheckPrompts(At(body, "input"), "input", false);
}

}  // namespace llm_router::simulate
