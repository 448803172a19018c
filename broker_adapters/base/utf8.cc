#include "broker_adapters/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace llm_router {
namespace {

// How long the well-formed character at the front of `text` is, 0 when there is none. The second byte's range
// depends on the first: that is what keeps overlong forms, surrogates and values past U+10FFFF out.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Prompts are mostly ASCII: eight bytes at a time while none has its high bit set.
size_t SkipAscii(std::string_view text, size_t at) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  while (text.size() - at >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) break;
    at += sizeof(word);
  }
  return at;
}

}  // namespace

std::optional<size_t> FirstBadUtf8(std::string_view text) {
  size_t at = 0;
  while ((at = SkipAscii(text, at)) < text.size()) {
    const size_t length = CharacterLength(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::string ToUtf8(std::string text) {
  auto bad = FirstBadUtf8(text);
  if (!bad) return text;
  std::string clean;
  std::string_view rest = text;
  for (; bad; bad = FirstBadUtf8(rest)) {
    clean += rest.substr(0, *bad);
    clean += "\xEF\xBF\xBD";
    rest.remove_prefix(*bad + 1);
  }
  return clean.append(rest);
}

std::string Excerpt(std::string_view text, size_t bytes) {
  std::string excerpt;
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = CharacterLength(text.substr(at));
    const std::string_view character = length == 0 ? "?" : text.substr(at, length);
    if (excerpt.size() + character.size() > bytes) return excerpt + "...";
    const bool control =
        character.size() == 1 && (static_cast<uint8_t>(character[0]) < 0x20 || character[0] == 0x7F);
    excerpt += control ? std::string_view(" ") : character;
    at += length == 0 ? 1 : length;
  }
  return excerpt;
}

}  // namespace llm_router
