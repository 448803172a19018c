// Tags: the small string map that travels with every message.
//
// Keys of ours are lower case and named as the HTTP header would be (proto/contract.h); keys of strangers are
// passed along as they came. A value type without threads of its own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"

namespace llm_router {

using Tags = absl::btree_map<std::string, std::string, std::less<>>;  // std::less<>: a string_view looks up

// The value of `key`, or `fallback` when it is absent. Valid until `tags` changes.
inline std::string_view TagOr(const Tags& tags, std::string_view key, std::string_view fallback = {}) {
  const auto it = tags.find(key);
  return it == tags.end() ? fallback : std::string_view(it->second);
}

}  // namespace llm_router
