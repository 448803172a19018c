#include "broker_adapters/nats/header_text.h"

#include <optional>

namespace llm_router::nats {
namespace {

// libnats takes the header after one without a value for that one's value.
constexpr std::string_view kNothing = "%";

void Escape(char c, std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  text += '%';
  text += kDigits[byte >> 4];
  text += kDigits[byte & 15];
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::optional<int> Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool IsPlainInName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

std::string ToHeaderValue(std::string_view bytes) {
  if (bytes.empty()) return std::string(kNothing);
  std::string text;
  text.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool lost = bytes[i] == ' ' && (i == 0 || i + 1 == bytes.size());
    if (lost || bytes[i] == '%' || IsControl(bytes[i])) {
      Escape(bytes[i], text);
    } else {
      text += bytes[i];
    }
  }
  return text;
}

std::string ToHeaderName(std::string_view tag) {
  std::string text;
  const bool taken = tag.starts_with("llm-") || tag.starts_with("nats-");
  for (size_t i = 0; i < tag.size(); ++i) {
    if ((taken && i == 0) || !IsPlainInName(tag[i])) {
      Escape(tag[i], text);
    } else {
      text += tag[i];
    }
  }
  return text.empty() ? std::string(kNothing) : text;
}

std::string FromHeader(std::string_view text) {
  if (text == kNothing) return "";
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto high = text[i] == '%' && i + 2 < text.size() ? Digit(text[i + 1]) : std::nullopt;
    const auto low = high ? Digit(text[i + 2]) : std::nullopt;
    if (low) {
      bytes += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

}  // namespace llm_router::nats
