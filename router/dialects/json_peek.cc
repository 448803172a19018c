#include "router/dialects/json_peek.h"

#include <algorithm>
#include <cstring>

namespace llm_router {
namespace {

// Whether the first three bytes of `word` are there in a row. Without a way out in its middle, so that the
// compiler makes vectors of it: several times faster than any search for the word.
bool MayHold(std::string_view text, std::string_view word) {
  bool held = false;
  for (size_t i = 0; i + 2 < text.size(); ++i)
    held |= ((text[i] ^ word[0]) | (text[i + 1] ^ word[1]) | (text[i + 2] ^ word[2])) == 0;
  return held;
}

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

bool HasValue(std::string_view json, std::string_view quoted) {
  for (size_t at = Find(json, quoted, 0); at != json.npos; at = Find(json, quoted, at + quoted.size())) {
    if (!IsNull(json, at + quoted.size())) return true;
  }
  return false;
}

// \u005f to \u007a: a letter of a key could hide in it.
bool IsEscapedLetter(std::string_view text) {
  return text.size() > 4 && text.starts_with("\\u00") && text[4] >= '5' && text[4] <= '7';
}

}  // namespace

bool MayHaveKey(std::string_view json, std::string_view quoted) {
  if (MayHold(json, quoted) && HasValue(json, quoted)) return true;
  for (size_t at = json.find('\\'); at != json.npos; at = json.find('\\', at + 1)) {
    if (IsEscapedLetter(json.substr(at))) return true;
  }
  return false;
}

}  // namespace llm_router
