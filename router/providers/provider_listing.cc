#include "router/providers/provider_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "router/providers/provider_table.h"

namespace llm_router {
namespace {

using Line = std::array<std::string, 6>;

std::string OrDash(std::string_view text) { return std::string(text.empty() ? "-" : text); }

std::string_view BaseUrlOf(const ProviderRow& row) {
  return row.base_url.empty() ? row.example_base_url : row.base_url;
}

std::string KeyOf(const ProviderRow& row, std::string_view variable, bool is_set) {
  const std::string_view state = is_set ? "set" : row.needs_key ? "not set" : "not needed";
  return variable.empty() ? std::string(state) : fmt::format("{} ({})", variable, state);
}

Line LineOf(const ProviderConfig& provider, const ProviderRow& row) {
  return {provider.id,
          provider.type,
          provider.base_url.empty() ? std::string(row.base_url) : provider.base_url,
          OrDash(row.default_model),
          KeyOf(row, provider.key_variable, !provider.key.empty()),
          OrDash(row.key_page)};
}

Line LineOf(const ProviderRow& row, const Environment& environment) {
  const auto key = environment.find(row.key_variable);
  const bool is_set = key != environment.end() && !key->second.empty();
  return {"-",
          std::string(row.type),
          std::string(BaseUrlOf(row)),
          OrDash(row.default_model),
          KeyOf(row, row.key_variable, is_set),
          OrDash(row.key_page)};
}

std::string TextOf(const std::vector<Line>& lines) {
  std::array<size_t, 6> widths{};
  for (const Line& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (size_t i = 0; i < line.size(); ++i) row += fmt::format("{:<{}}  ", line[i], widths[i]);
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  }
  return text;
}

std::string Code(std::string_view text) { return text.empty() ? std::string() : fmt::format("`{}`", text); }

}  // namespace

std::string ProviderListing(const Config& config, const Environment& environment) {
  std::vector<Line> lines = {{"ID", "TYPE", "BASE URL", "DEFAULT MODEL", "KEY", "KEYS ARE MADE AT"}};
  for (const ProviderConfig& provider : config.providers) {
    if (const ProviderRow* row = FindProviderRow(provider.type)) lines.push_back(LineOf(provider, *row));
  }
  for (const ProviderRow& row : AllProviderRows()) {
    const bool is_used =
        std::ranges::find(config.providers, row.type, &ProviderConfig::type) != config.providers.end();
    if (!is_used) lines.push_back(LineOf(row, environment));
  }
  return TextOf(lines);
}

std::string ProviderReference() {
  std::string table = "| type | base URL | default model | key | keys are made at |\n|---|---|---|---|---|\n";
  for (const ProviderRow& row : AllProviderRows()) {
    const std::string base_url =
        row.base_url.empty() ? fmt::format("yours: {}", Code(row.example_base_url)) : Code(row.base_url);
    const std::string key = row.needs_key ? Code(row.key_variable) : std::string("none needed");
    table += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.type, base_url, Code(row.default_model), key,
                         row.key_page);
  }
  return table;
}

}  // namespace llm_router
