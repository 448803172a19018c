#include "router/simulate/conversation.h"

#include <fmt/core.h>

#include <cstdint>

namespace llm_router::simulate {
namespace {

uint32_t Fnv1a(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619u;
  }
  return hash;
}

}  // namespace

std::string Quote(std::string_view text, size_t most) {
  if (text.size() <= most) return fmt::format("\"{}\"", text);
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return fmt::format("\"{}...\" ({} bytes #{:08x})", text.substr(0, end), text.size(), Fnv1a(text));
}

size_t CountWords(std::string_view text) {
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = IsSpace(c);
    if (!space && !inside) ++words;
    inside = !space;
  }
  return words;
}

std::string SignatureOf(std::string_view reasoning) {
  return fmt::format("sig_sim_{:08x}", Fnv1a(reasoning));
}

std::string DescribeImage(std::string_view media_type, std::string_view base64) {
  const auto padding = base64.size() - (base64.find_last_not_of('=') + 1);
  return fmt::format("[image {} {} bytes #{:08x}]", media_type, base64.size() * 3 / 4 - padding,
                     Fnv1a(base64));
}

}  // namespace llm_router::simulate
