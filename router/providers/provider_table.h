// The table of providers: every `type` a provider may have, a row each. What makes one differ from another is
// data here, never a branch elsewhere. To add a provider that speaks a known dialect: one row.
//
// Constant data, sorted by type; any thread. A dialect that `more` leaves out is not that provider's:
// completions then become chats, other queries are refused.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "proto/contract.h"
#include "router/config/load.h"
#include "router/providers/quirk.h"

namespace llm_router {

// Another wire format that a provider speaks, and where.
struct Endpoint {
  std::string_view dialect;
  std::string_view path;  // as ProviderRow::path
};

// The defaults are those of a provider that speaks OpenAI's wire and wants a key.
struct ProviderRow {
  std::string_view type;
  std::string_view base_url;               // empty: configuration must give one
  std::string_view example_base_url = {};  // what it looks like, where there is no base_url
  std::string_view default_model = {};     // of targets that name none; empty: they must
  std::string_view key_variable = {};      // where its key is usually kept
  std::string_view key_page = {};          // where a person makes one
  bool needs_key = true;
  std::string_view dialect = contract::dialect::kOpenAiChat;
  // Where chats go, below the base URL; {model} and {api_version} are filled in.
  std::string_view path = "/chat/completions";
  std::span<const Endpoint> more = {};  // beside the chats
  std::string_view api_version = {};    // the default; empty: the path has none
  std::string_view auth_header = "authorization";
  std::string_view auth_prefix = "Bearer ";  // before the key in that header
  std::span<const std::pair<std::string_view, std::string_view>> headers = {};  // on every call
  std::span<const Quirk> quirks = {};
};

std::span<const ProviderRow> AllProviderRows();
// The row of that type, or null.
const ProviderRow* FindProviderRow(std::string_view type);

// What configuration has to know of the table, for LoadRequest::provider_types.
std::span<const ProviderType> AllProviderTypes();

}  // namespace llm_router
