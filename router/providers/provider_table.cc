#include "router/providers/provider_table.h"

#include <algorithm>
#include <array>

#include "proto/contract.h"

namespace llm_router {
namespace {

using Header = std::pair<std::string_view, std::string_view>;

constexpr Header kAnthropicHeaders[] = {{"anthropic-version", "2023-06-01"}};

constexpr std::array kTable = {
    ProviderRow{.type = "anthropic",
                .dialect = contract::dialect::kAnthropicMessages,
                .base_url = "https://api.anthropic.com/v1",
                .path = "/messages",
                .auth_header = "x-api-key",
                .auth_prefix = "",
                .headers = kAnthropicHeaders,
                .key_variable = "ANTHROPIC_API_KEY",
                .default_model = "claude-sonnet-4-5"},
    ProviderRow{.type = "openai",
                .dialect = contract::dialect::kOpenAiChat,
                .base_url = "https://api.openai.com/v1",
                .path = "/chat/completions",
                .auth_header = "authorization",
                .auth_prefix = "Bearer ",
                .key_variable = "OPENAI_API_KEY",
                .default_model = "gpt-4o-mini"},
    ProviderRow{.type = "openai_compatible",
                .dialect = contract::dialect::kOpenAiChat,
                .base_url = "",
                .path = "/chat/completions",
                .auth_header = "authorization",
                .auth_prefix = "Bearer ",
                .needs_key = false},
};
static_assert(std::ranges::is_sorted(kTable, {}, &ProviderRow::type));

constexpr auto kTypes = [] {
  std::array<ProviderType, kTable.size()> types;
  std::ranges::transform(kTable, types.begin(), [](const ProviderRow& row) {
    return ProviderType{row.type, row.base_url.empty(), row.default_model};
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
