// The table of providers: every `type` a provider may have, a row each. What makes one differ from another is
// data here, never a branch elsewhere. To add a provider that speaks a known dialect: one row.
//
// Constant data, sorted by type; any thread.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "router/config/load.h"

namespace llm_router {

struct ProviderRow {
  std::string_view type;
  std::string_view dialect;   // contract::dialect
  std::string_view base_url;  // empty: configuration must give one
  std::string_view path;      // where chats go, below the base URL
  std::string_view auth_header;
  std::string_view auth_prefix;  // before the key in that header
  std::span<const std::pair<std::string_view, std::string_view>> headers = {};  // on every call
  bool needs_key = true;
  std::string_view key_variable = {};   // where its key is usually kept
  std::string_view default_model = {};  // of targets that name none
};

std::span<const ProviderRow> AllProviderRows();
// The row of that type, or null.
const ProviderRow* FindProviderRow(std::string_view type);

// What configuration has to know of the table, for LoadRequest::provider_types.
std::span<const ProviderType> AllProviderTypes();

}  // namespace llm_router
