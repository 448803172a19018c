#include "router/dialects/json_peek.h"

#include <algorithm>
#include <cstring>

namespace llm_router {
namespace {

// The C library's search is several times faster than std::string_view's.
size_t Find(std::string_view text, std::string_view word, size_t from) {
  const void* found = memmem(text.data() + from, text.size() - from, word.data(), word.size());
  return found == nullptr ? text.npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

bool IsNull(std::string_view json, size_t after_key) {
  size_t at = std::min(json.find_first_not_of(" \t\r\n", after_key), json.size());
  if (at == json.size() || json[at] != ':') return false;
  at = std::min(json.find_first_not_of(" \t\r\n", at + 1), json.size());
  return json.substr(at).starts_with("null");
}

}  // namespace

// \u005f to \u007a: a letter of the key could hide in it.
bool MayHaveKey(std::string_view json, std::string_view quoted) {
  for (size_t at = Find(json, quoted, 0); at != json.npos; at = Find(json, quoted, at + quoted.size())) {
    if (!IsNull(json, at + quoted.size())) return true;
  }
  for (size_t at = Find(json, "\\u00", 0); at != json.npos; at = Find(json, "\\u00", at + 4)) {
    if (at + 4 < json.size() && json[at + 4] >= '5' && json[at + 4] <= '7') return true;
  }
  return false;
}

}  // namespace llm_router
