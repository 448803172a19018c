// The table of what providers refuse; a row each, sorted by type.
#include <algorithm>
#include <array>

#include "router/simulate/provider_rules.h"

namespace llm_router::simulate {
namespace {

using enum FieldRule::Kind;
using Names = std::string_view;

// What many servers of OpenAI's earlier wire do not know.
constexpr FieldRule kOldLimit{.kind = kRefused, .field = "max_completion_tokens", .other = "max_tokens"};
constexpr FieldRule kOneChoice{.kind = kRefused, .field = "n", .allowed = "1"};
constexpr FieldRule kOldRoles{.kind = kRole, .field = "developer"};
constexpr FieldRule kNoNames{.kind = kMessageField, .field = "name"};
constexpr FieldRule kOldLimitOnly[] = {kOldLimit};

// https://docs.anthropic.com/en/docs/about-claude/models/migrating-to-claude-4
constexpr Names kEitherSampling[] = {"claude-haiku-4-5", "claude-opus-4-1", "claude-opus-4-5",
                                     "claude-sonnet-4-5"};
constexpr FieldRule kAnthropic[] = {
    {.kind = kNotBoth, .field = "top_p", .other = "temperature", .models = kEitherSampling}};

// https://platform.openai.com/docs/guides/reasoning
constexpr Names kReasoners[] = {"gpt-5", "o1", "o3", "o4"};
constexpr Names kStopless[] = {"gpt-5", "o3", "o4"};
constexpr Names kSampled[] = {"gpt-5-chat", "gpt-5."};
constexpr FieldRule kOpenAi[] = {
    {.kind = kRefused, .field = "max_tokens", .other = "max_completion_tokens", .models = kReasoners},
    {.kind = kRole, .field = "system", .models = kReasoners},
    {.kind = kRefused, .field = "temperature", .allowed = "1", .models = kReasoners, .except = kSampled},
    {.kind = kRefused, .field = "top_p", .allowed = "1", .models = kReasoners, .except = kSampled},
    {.kind = kRefused,
     .field = "frequency_penalty",
     .allowed = "0",
     .models = kReasoners,
     .except = kSampled},
    {.kind = kRefused, .field = "presence_penalty", .allowed = "0", .models = kReasoners, .except = kSampled},
    {.kind = kRefused, .field = "logprobs", .allowed = "false", .models = kReasoners, .except = kSampled},
    {.kind = kRefused, .field = "top_logprobs", .models = kReasoners, .except = kSampled},
    {.kind = kRefused, .field = "logit_bias", .models = kReasoners, .except = kSampled},
    {.kind = kRefused, .field = "stop", .models = kStopless, .except = kSampled},
};

// https://docs.cohere.com/docs/compatibility-api
constexpr FieldRule kCohere[] = {
    kOldLimit,
    {.kind = kRefused, .field = "audio"},
    {.kind = kRefused, .field = "logit_bias"},
    {.kind = kRefused, .field = "metadata"},
    {.kind = kRefused, .field = "modalities"},
    {.kind = kRefused, .field = "n"},
    {.kind = kRefused, .field = "parallel_tool_calls"},
    {.kind = kRefused, .field = "prediction"},
    {.kind = kRefused, .field = "service_tier"},
    {.kind = kRefused, .field = "store"},
    {.kind = kRefused, .field = "top_logprobs"},
    {.kind = kRange, .field = "temperature", .least = 0, .most = 1},
    {.kind = kRange, .field = "frequency_penalty", .least = 0, .most = 1},
    {.kind = kRange, .field = "presence_penalty", .least = 0, .most = 1},
};

// https://api-docs.deepseek.com/api/create-chat-completion
constexpr Names kDeepseekReasoners[] = {"deepseek-reasoner"};
constexpr FieldRule kDeepseek[] = {
    kOldLimit,
    kOldRoles,
    kOneChoice,
    {.kind = kRefused, .field = "logit_bias"},
    {.kind = kRefused, .field = "seed"},
    {.kind = kRefused, .field = "temperature", .models = kDeepseekReasoners},
    {.kind = kRefused, .field = "top_p", .models = kDeepseekReasoners},
    {.kind = kRefused, .field = "frequency_penalty", .models = kDeepseekReasoners},
    {.kind = kRefused, .field = "presence_penalty", .models = kDeepseekReasoners},
    {.kind = kRefused, .field = "logprobs", .models = kDeepseekReasoners},
    {.kind = kRefused, .field = "top_logprobs", .models = kDeepseekReasoners},
};

// https://ai.google.dev/api/compatibility
constexpr FieldRule kGemini[] = {
    {.kind = kRefused, .field = "frequency_penalty"},
    {.kind = kRefused, .field = "presence_penalty"},
    {.kind = kRefused, .field = "seed"},
    {.kind = kRefused, .field = "store"},
};

// https://console.groq.com/docs/openai
constexpr FieldRule kGroq[] = {
    {.kind = kRefused, .field = "logit_bias"},
    {.kind = kRefused, .field = "logprobs"},
    {.kind = kRefused, .field = "top_logprobs"},
    kNoNames,
    kOneChoice,
};

// https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md,
// https://lmstudio.ai/docs/developer/openai-compat/chat-completions
constexpr FieldRule kOneModelServer[] = {kOldLimit, kOneChoice};

// https://docs.mistral.ai/api
constexpr Names kMistralFields[] = {"min_tokens", "prompt_mode", "random_seed", "safe_prompt"};
constexpr FieldRule kMistral[] = {
    kOldLimit,
    kOldRoles,
    kNoNames,
    {.kind = kRefused, .field = "logit_bias"},
    {.kind = kRefused, .field = "logprobs"},
    {.kind = kRefused, .field = "metadata"},
    {.kind = kRefused, .field = "seed", .other = "random_seed"},
    {.kind = kRefused, .field = "service_tier"},
    {.kind = kRefused, .field = "store"},
    {.kind = kRefused, .field = "top_logprobs"},
    {.kind = kRefused, .field = "user"},
    {.kind = kRange, .field = "temperature", .least = 0, .most = 1.5},
};

// https://docs.ollama.com/api/openai-compatibility
constexpr FieldRule kOllama[] = {
    kOldLimit,
    kOneChoice,
    {.kind = kRefused, .field = "logit_bias"},
    {.kind = kRefused, .field = "parallel_tool_calls"},
    {.kind = kRefused, .field = "tool_choice"},
    {.kind = kRefused, .field = "user"},
};

// https://docs.perplexity.ai/api-reference/chat-completions-post,
// https://docs.together.ai/reference/chat-completions-1
constexpr FieldRule kOldLimitAndRoles[] = {kOldLimit, kOldRoles};

// https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
constexpr FieldRule kVllm[] = {{.kind = kRefused, .field = "user"}};

// https://docs.x.ai/docs/guides/reasoning
constexpr Names kXaiReasoners[] = {"grok-3-mini", "grok-4", "grok-code"};
constexpr Names kXaiOthers[] = {"non-reasoning"};
constexpr FieldRule kXai[] = {
    {.kind = kRefused, .field = "frequency_penalty", .models = kXaiReasoners, .except = kXaiOthers},
    {.kind = kRefused, .field = "presence_penalty", .models = kXaiReasoners, .except = kXaiOthers},
    {.kind = kRefused, .field = "stop", .models = kXaiReasoners, .except = kXaiOthers},
};

constexpr Names kChats = "/v1/chat/completions";

constexpr std::array kTable = {
    ProviderRules{.type = "anthropic",
                  .path = "/v1/messages",
                  .key_header = "x-api-key",
                  .key_prefix = "",
                  .anthropic = true,
                  .fields = kAnthropic},
    ProviderRules{.type = "azure",
                  .path = "/openai/deployments/*/chat/completions",
                  .completions = true,
                  .embeddings = true,
                  .query = "api-version",
                  .key_header = "api-key",
                  .key_prefix = "",
                  .fields = kOpenAi},
    ProviderRules{.type = "cohere",
                  .path = "/compatibility/v1/chat/completions",
                  .embeddings = true,
                  .fields = kCohere},
    ProviderRules{.type = "deepseek", .path = kChats, .fields = kDeepseek},
    ProviderRules{.type = "fireworks",
                  .path = "/inference/v1/chat/completions",
                  .completions = true,
                  .embeddings = true},
    ProviderRules{
        .type = "gemini", .path = "/v1beta/openai/chat/completions", .embeddings = true, .fields = kGemini},
    ProviderRules{.type = "groq", .path = "/openai/v1/chat/completions", .fields = kGroq},
    ProviderRules{.type = "huggingface", .path = kChats, .fields = kOldLimitOnly},
    ProviderRules{.type = "llama_cpp",
                  .path = kChats,
                  .completions = true,
                  .embeddings = true,
                  .key_optional = true,
                  .fields = kOneModelServer},
    ProviderRules{.type = "lm_studio",
                  .path = kChats,
                  .completions = true,
                  .embeddings = true,
                  .key_optional = true,
                  .fields = kOneModelServer},
    ProviderRules{.type = "mistral",
                  .path = kChats,
                  .embeddings = true,
                  .own_fields = kMistralFields,
                  .fields = kMistral},
    ProviderRules{.type = "nvidia", .path = kChats, .embeddings = true, .fields = kOldLimitOnly},
    ProviderRules{.type = "ollama",
                  .path = kChats,
                  .completions = true,
                  .embeddings = true,
                  .key_optional = true,
                  .fields = kOllama},
    ProviderRules{
        .type = "one_api", .path = kChats, .completions = true, .embeddings = true, .key_optional = true},
    ProviderRules{
        .type = "openai", .path = kChats, .completions = true, .embeddings = true, .fields = kOpenAi},
    ProviderRules{.type = "openai_compatible",
                  .path = kChats,
                  .completions = true,
                  .embeddings = true,
                  .key_optional = true},
    ProviderRules{
        .type = "openrouter", .path = "/api/v1/chat/completions", .completions = true, .embeddings = true},
    ProviderRules{.type = "perplexity", .path = "/chat/completions", .fields = kOldLimitAndRoles},
    ProviderRules{.type = "together",
                  .path = kChats,
                  .completions = true,
                  .embeddings = true,
                  .fields = kOldLimitAndRoles},
    ProviderRules{.type = "vllm",
                  .path = kChats,
                  .completions = true,
                  .embeddings = true,
                  .key_optional = true,
                  .fields = kVllm},
    ProviderRules{.type = "xai", .path = kChats, .completions = true, .fields = kXai},
};
static_assert(std::ranges::is_sorted(kTable, {}, &ProviderRules::type));

}  // namespace

std::span<const ProviderRules> AllProviderRules() { return kTable; }

}  // namespace llm_router::simulate
