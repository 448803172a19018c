#include "router/providers/provider_table.h"

#include <algorithm>
#include <array>

#include "router/providers/provider_quirks.h"

namespace llm_router {
namespace {

using Header = std::pair<std::string_view, std::string_view>;

constexpr Header kAnthropicHeaders[] = {{"anthropic-version", "2023-06-01"}};

constexpr Endpoint kCountTokens[] = {{contract::dialect::kAnthropicCountTokens, "/messages/count_tokens"}};
constexpr Endpoint kCompletions = {contract::dialect::kOpenAiCompletions, "/completions"};
constexpr Endpoint kEmbeddings = {contract::dialect::kOpenAiEmbeddings, "/embeddings"};
constexpr Endpoint kJustEmbeddings[] = {kEmbeddings};
constexpr Endpoint kJustCompletions[] = {kCompletions};
constexpr Endpoint kBoth[] = {kCompletions, kEmbeddings};
constexpr Endpoint kAzureEndpoints[] = {{contract::dialect::kOpenAiCompletions,
                                         "/openai/deployments/{model}/completions?api-version={api_version}"},
                                        {contract::dialect::kOpenAiEmbeddings,
                                         "/openai/deployments/{model}/embeddings?api-version={api_version}"}};

constexpr std::array kTable = {
    ProviderRow{.type = "anthropic",
                .base_url = "https://api.anthropic.com/v1",
                .default_model = "claude-sonnet-4-5",
                .key_variable = "ANTHROPIC_API_KEY",
                .key_page = "https://console.anthropic.com/settings/keys",
                .dialect = contract::dialect::kAnthropicMessages,
                .path = "/messages",
                .more = kCountTokens,
                .auth_header = "x-api-key",
                .auth_prefix = "",
                .headers = kAnthropicHeaders,
                .quirks = quirks::kAnthropic},
    // The model is the name of a deployment, which by custom is the model's own.
    ProviderRow{.type = "azure",
                .base_url = "",
                .example_base_url = "https://RESOURCE.openai.azure.com",
                .default_model = "gpt-4o-mini",
                .key_variable = "AZURE_OPENAI_API_KEY",
                .key_page = "https://portal.azure.com (Keys and Endpoint of the resource)",
                .path = "/openai/deployments/{model}/chat/completions?api-version={api_version}",
                .more = kAzureEndpoints,
                .api_version = "2024-10-21",
                .auth_header = "api-key",
                .auth_prefix = "",
                .quirks = quirks::kOpenAi},
    ProviderRow{.type = "cohere",
                .base_url = "https://api.cohere.ai/compatibility/v1",
                .default_model = "command-a-03-2025",
                .key_variable = "COHERE_API_KEY",
                .key_page = "https://dashboard.cohere.com/api-keys",
                .more = kJustEmbeddings,
                .quirks = quirks::kCohere},
    ProviderRow{.type = "deepseek",
                .base_url = "https://api.deepseek.com/v1",
                .default_model = "deepseek-chat",
                .key_variable = "DEEPSEEK_API_KEY",
                .key_page = "https://platform.deepseek.com/api_keys",
                .quirks = quirks::kDeepseek},
    ProviderRow{.type = "fireworks",
                .base_url = "https://api.fireworks.ai/inference/v1",
                .default_model = "accounts/fireworks/models/llama-v3p3-70b-instruct",
                .key_variable = "FIREWORKS_API_KEY",
                .key_page = "https://app.fireworks.ai/settings/users/api-keys",
                .more = kBoth},
    ProviderRow{.type = "gemini",
                .base_url = "https://generativelanguage.googleapis.com/v1beta/openai",
                .default_model = "gemini-2.5-flash",
                .key_variable = "GEMINI_API_KEY",
                .key_page = "https://aistudio.google.com/apikey",
                .more = kJustEmbeddings,
                .quirks = quirks::kGemini},
    ProviderRow{.type = "groq",
                .base_url = "https://api.groq.com/openai/v1",
                .default_model = "llama-3.3-70b-versatile",
                .key_variable = "GROQ_API_KEY",
                .key_page = "https://console.groq.com/keys",
                .quirks = quirks::kGroq},
    ProviderRow{.type = "huggingface",
                .base_url = "https://router.huggingface.co/v1",
                .default_model = "openai/gpt-oss-120b",
                .key_variable = "HF_TOKEN",
                .key_page = "https://huggingface.co/settings/tokens",
                .quirks = quirks::kJustMaxTokens},
    // It serves the one model it was started with, whatever a query names.
    ProviderRow{.type = "llama_cpp",
                .base_url = "http://127.0.0.1:8080/v1",
                .default_model = "default",
                .key_variable = "LLAMA_API_KEY",
                .needs_key = false,
                .more = kBoth,
                .quirks = quirks::kLlamaCpp},
    ProviderRow{.type = "lm_studio",
                .base_url = "http://127.0.0.1:1234/v1",
                .default_model = "openai/gpt-oss-20b",
                .key_variable = "LM_API_TOKEN",
                .needs_key = false,
                .more = kBoth,
                .quirks = quirks::kLmStudio},
    ProviderRow{.type = "mistral",
                .base_url = "https://api.mistral.ai/v1",
                .default_model = "mistral-small-latest",
                .key_variable = "MISTRAL_API_KEY",
                .key_page = "https://console.mistral.ai/api-keys",
                .more = kJustEmbeddings,
                .quirks = quirks::kMistral},
    ProviderRow{.type = "nvidia",
                .base_url = "https://integrate.api.nvidia.com/v1",
                .default_model = "meta/llama-3.3-70b-instruct",
                .key_variable = "NVIDIA_API_KEY",
                .key_page = "https://build.nvidia.com/settings/api-keys",
                .more = kJustEmbeddings,
                .quirks = quirks::kJustMaxTokens},
    ProviderRow{.type = "ollama",
                .base_url = "http://127.0.0.1:11434/v1",
                .default_model = "llama3.2",
                .key_variable = "OLLAMA_API_KEY",
                .needs_key = false,
                .more = kBoth,
                .quirks = quirks::kOllama},
    ProviderRow{.type = "one_api",
                .base_url = "http://127.0.0.1:3000/v1",
                .default_model = "gpt-4o-mini",
                .key_variable = "ONE_API_KEY",
                .key_page = "http://127.0.0.1:3000/token",
                .needs_key = false,
                .more = kBoth},
    ProviderRow{.type = "openai",
                .base_url = "https://api.openai.com/v1",
                .default_model = "gpt-4o-mini",
                .key_variable = "OPENAI_API_KEY",
                .key_page = "https://platform.openai.com/api-keys",
                .more = kBoth,
                .quirks = quirks::kOpenAi},
    // Whatever speaks OpenAI's wire; sent as the caller wrote it.
    ProviderRow{.type = "openai_compatible",
                .base_url = "",
                .example_base_url = "http://127.0.0.1:8001/v1",
                .needs_key = false,
                .more = kBoth},
    ProviderRow{.type = "openrouter",
                .base_url = "https://openrouter.ai/api/v1",
                .default_model = "openrouter/auto",
                .key_variable = "OPENROUTER_API_KEY",
                .key_page = "https://openrouter.ai/settings/keys",
                .more = kJustCompletions},
    ProviderRow{.type = "perplexity",
                .base_url = "https://api.perplexity.ai",
                .default_model = "sonar",
                .key_variable = "PERPLEXITY_API_KEY",
                .key_page = "https://www.perplexity.ai/account/api/keys",
                .quirks = quirks::kPerplexity},
    ProviderRow{.type = "together",
                .base_url = "https://api.together.xyz/v1",
                .default_model = "meta-llama/Llama-3.3-70B-Instruct-Turbo",
                .key_variable = "TOGETHER_API_KEY",
                .key_page = "https://api.together.ai/settings/api-keys",
                .more = kBoth,
                .quirks = quirks::kTogether},
    // Its models are those it was started with.
    ProviderRow{.type = "vllm",
                .base_url = "http://127.0.0.1:8000/v1",
                .key_variable = "VLLM_API_KEY",
                .needs_key = false,
                .more = kBoth,
                .quirks = quirks::kVllm},
    ProviderRow{.type = "xai",
                .base_url = "https://api.x.ai/v1",
                .default_model = "grok-4",
                .key_variable = "XAI_API_KEY",
                .key_page = "https://console.x.ai",
                .quirks = quirks::kXai},
};
static_assert(std::ranges::is_sorted(kTable, {}, &ProviderRow::type));

constexpr auto kTypes = [] {
  std::array<ProviderType, kTable.size()> types;
  std::ranges::transform(kTable, types.begin(), [](const ProviderRow& row) {
    return ProviderType{row.type, row.base_url.empty(), row.default_model, row.example_base_url,
                        !row.api_version.empty()};
  });
  return types;
}();

}  // namespace

std::span<const ProviderRow> AllProviderRows() { return kTable; }

const ProviderRow* FindProviderRow(std::string_view type) {
  const auto found = std::ranges::find(kTable, type, &ProviderRow::type);
  return found == kTable.end() ? nullptr : &*found;
}

std::span<const ProviderType> AllProviderTypes() { return kTypes; }

}  // namespace llm_router
