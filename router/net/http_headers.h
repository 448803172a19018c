// Headers of an HTTP message as a plain list, in the order they came or shall go. Names in lower case. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llm_router {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of that (lower-case) name, or `fallback`. Valid until `headers` changes.
inline std::string_view HeaderOr(const HttpHeaders& headers, std::string_view name,
                                 std::string_view fallback = {}) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return fallback;
}

// ASCII only, as header names are.
inline std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Whether it can stand in a header without ending it.
inline bool IsHeaderText(std::string_view text) {
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

}  // namespace llm_router
