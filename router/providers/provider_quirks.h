// The quirks of the providers in the table, by provider, each after the page that says so. Constant data; any
// thread. Only provider_table.cc includes this.
#pragma once

#include "router/providers/quirk.h"

namespace llm_router::quirks {

using enum Quirk::Kind;

// Servers of OpenAI's earlier wire format.
inline constexpr Quirk kMaxTokens{.kind = kRename, .field = "max_completion_tokens", .to = "max_tokens"};
inline constexpr Quirk kDeveloperIsSystem{.kind = kRole, .field = "developer", .to = "system"};
inline constexpr Quirk kOneChoice{.kind = kDrop, .field = "n", .neutral = "1"};
inline constexpr Quirk kNoLogitBias{.kind = kDrop, .field = "logit_bias", .neutral = "{}"};
inline constexpr Quirk kNoNames{.kind = kMessageField, .field = "name"};
inline constexpr Quirk kNoLogprobs{.kind = kDrop, .field = "logprobs"};
inline constexpr Quirk kNoTopLogprobs{.kind = kDrop, .field = "top_logprobs", .neutral = "0"};

inline constexpr Quirk kJustMaxTokens[] = {kMaxTokens};

// https://docs.anthropic.com/en/docs/about-claude/models/migrating-to-claude-4: temperature or top_p
inline constexpr std::string_view kEitherSampling[] = {"claude-haiku-4-5", "claude-opus-4-1",
                                                       "claude-opus-4-5", "claude-sonnet-4-5"};
inline constexpr Quirk kAnthropic[] = {
    {.kind = kDrop, .field = "top_p", .neutral = "1", .beside = "temperature", .models = kEitherSampling}};

// https://docs.cohere.com/docs/compatibility-api, ranges: https://docs.cohere.com/reference/chat
inline constexpr Quirk kCohere[] = {
    kMaxTokens,
    kOneChoice,
    kNoLogitBias,
    kNoTopLogprobs,
    {.kind = kDrop, .field = "audio"},
    {.kind = kDrop, .field = "metadata", .neutral = "{}"},
    {.kind = kDrop, .field = "modalities", .neutral = R"(["text"])"},
    {.kind = kDrop, .field = "parallel_tool_calls", .neutral = "true"},
    {.kind = kDrop, .field = "prediction"},
    {.kind = kDrop, .field = "service_tier", .neutral = R"("auto")"},
    {.kind = kDrop, .field = "store"},
    {.kind = kRange, .field = "temperature", .least = 0, .most = 1},
    {.kind = kRange, .field = "frequency_penalty", .least = 0, .most = 1},
    {.kind = kRange, .field = "presence_penalty", .least = 0, .most = 1},
};

// https://api-docs.deepseek.com/api/create-chat-completion,
// https://api-docs.deepseek.com/guides/reasoning_model
inline constexpr std::string_view kDeepseekReasoners[] = {"deepseek-reasoner"};
inline constexpr Quirk kDeepseek[] = {
    kMaxTokens,
    kDeveloperIsSystem,
    kOneChoice,
    kNoLogitBias,
    {.kind = kDrop, .field = "seed"},
    {.kind = kDrop, .field = "temperature", .neutral = "1", .models = kDeepseekReasoners},
    {.kind = kDrop, .field = "top_p", .neutral = "1", .models = kDeepseekReasoners},
    {.kind = kDrop, .field = "frequency_penalty", .neutral = "0", .models = kDeepseekReasoners},
    {.kind = kDrop, .field = "presence_penalty", .neutral = "0", .models = kDeepseekReasoners},
    {.kind = kDrop, .field = "logprobs", .models = kDeepseekReasoners},
    {.kind = kDrop, .field = "top_logprobs", .neutral = "0", .models = kDeepseekReasoners},
};

// https://ai.google.dev/api/compatibility: fields it does not list are refused as unknown names
inline constexpr Quirk kGemini[] = {
    {.kind = kDrop, .field = "frequency_penalty", .neutral = "0"},
    {.kind = kDrop, .field = "presence_penalty", .neutral = "0"},
    {.kind = kDrop, .field = "seed"},
    {.kind = kDrop, .field = "store"},
};

// https://console.groq.com/docs/openai
inline constexpr Quirk kGroq[] = {kOneChoice, kNoLogitBias, kNoLogprobs, kNoTopLogprobs, kNoNames};

// https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md: one choice; older builds know
// max_tokens alone
inline constexpr Quirk kLlamaCpp[] = {kMaxTokens, kOneChoice};

// https://lmstudio.ai/docs/developer/openai-compat/chat-completions
inline constexpr Quirk kLmStudio[] = {kMaxTokens, kOneChoice};

// https://docs.mistral.ai/api: whatever it does not list is refused as an extra input
inline constexpr Quirk kMistral[] = {
    kMaxTokens,
    kDeveloperIsSystem,
    kNoLogitBias,
    kNoLogprobs,
    kNoTopLogprobs,
    kNoNames,
    {.kind = kRename, .field = "seed", .to = "random_seed"},
    {.kind = kDrop, .field = "metadata", .neutral = "{}"},
    {.kind = kDrop, .field = "service_tier", .neutral = R"("auto")"},
    {.kind = kDrop, .field = "store"},
    {.kind = kDrop, .field = "user", .neutral = R"("")"},
    {.kind = kRange, .field = "temperature", .least = 0, .most = 1.5},
};

// https://docs.ollama.com/api/openai-compatibility
inline constexpr Quirk kOllama[] = {
    kMaxTokens,
    kOneChoice,
    kNoLogitBias,
    {.kind = kDrop, .field = "parallel_tool_calls", .neutral = "true"},
    {.kind = kDrop, .field = "tool_choice", .neutral = R"("auto")"},
    {.kind = kDrop, .field = "user", .neutral = R"("")"},
};

// https://platform.openai.com/docs/guides/reasoning,
// https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reasoning: reasoning models take
// max_completion_tokens, developer messages and no sampling parameters (from gpt-5.1 on they do while they
// do not reason, which is their default)
inline constexpr std::string_view kReasoners[] = {"gpt-5", "o1", "o3", "o4"};
inline constexpr std::string_view kStopless[] = {"gpt-5", "o3", "o4"};
inline constexpr std::string_view kSampled[] = {"gpt-5-chat", "gpt-5."};
inline constexpr Quirk kOpenAi[] = {
    {.kind = kRename, .field = "max_tokens", .to = "max_completion_tokens", .models = kReasoners},
    {.kind = kRole, .field = "system", .to = "developer", .models = kReasoners},
    {.kind = kDrop, .field = "temperature", .neutral = "1", .models = kReasoners, .except = kSampled},
    {.kind = kDrop, .field = "top_p", .neutral = "1", .models = kReasoners, .except = kSampled},
    {.kind = kDrop, .field = "frequency_penalty", .neutral = "0", .models = kReasoners, .except = kSampled},
    {.kind = kDrop, .field = "presence_penalty", .neutral = "0", .models = kReasoners, .except = kSampled},
    {.kind = kDrop, .field = "logprobs", .models = kReasoners, .except = kSampled},
    {.kind = kDrop, .field = "top_logprobs", .neutral = "0", .models = kReasoners, .except = kSampled},
    {.kind = kDrop, .field = "logit_bias", .neutral = "{}", .models = kReasoners, .except = kSampled},
    {.kind = kDrop, .field = "stop", .neutral = "[]", .models = kStopless, .except = kSampled},
};

// https://docs.perplexity.ai/api-reference/chat-completions-post
inline constexpr Quirk kPerplexity[] = {kMaxTokens, kDeveloperIsSystem};

// https://docs.together.ai/reference/chat-completions-1
inline constexpr Quirk kTogether[] = {kMaxTokens, kDeveloperIsSystem};

// https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html: user is ignored
inline constexpr Quirk kVllm[] = {{.kind = kDrop, .field = "user", .neutral = R"("")"}};

// https://docs.x.ai/docs/guides/reasoning
inline constexpr std::string_view kXaiReasoners[] = {"grok-3-mini", "grok-4", "grok-code"};
inline constexpr std::string_view kXaiOthers[] = {"non-reasoning"};
inline constexpr Quirk kXai[] = {
    {.kind = kDrop,
     .field = "frequency_penalty",
     .neutral = "0",
     .models = kXaiReasoners,
     .except = kXaiOthers},
    {.kind = kDrop,
     .field = "presence_penalty",
     .neutral = "0",
     .models = kXaiReasoners,
     .except = kXaiOthers},
    {.kind = kDrop, .field = "stop", .neutral = "[]", .models = kXaiReasoners, .except = kXaiOthers},
};

}  // namespace llm_router::quirks
