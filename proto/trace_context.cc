#include "proto/trace_context.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace llm_router::contract {
namespace {

constexpr size_t kLength = 55;  // of version 00
constexpr size_t kMostTracestate = 512;
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr uint64_t kSampled = 1;

// Lower case only, as the standard has it.
std::optional<uint64_t> ParseHex(std::string_view digits) {
  if (std::ranges::any_of(digits, [](char c) { return c >= 'A' && c <= 'F'; })) return std::nullopt;
  uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, value, 16);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

void AppendHex(uint64_t value, std::string& text) {
  std::array<char, 16> digits;
  for (size_t i = digits.size(); i-- > 0; value >>= 4) digits[i] = kDigits[value & 0xf];
  text.append(digits.data(), digits.size());
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = ParseHex(text.substr(0, 2));
  if (!version || *version == 0xff) return std::nullopt;
  if (text.size() > kLength && (*version == 0 || text[kLength] != '-')) return std::nullopt;
  const auto high = ParseHex(text.substr(3, 16));
  const auto low = ParseHex(text.substr(19, 16));
  const auto span = ParseHex(text.substr(36, 16));
  const auto flags = ParseHex(text.substr(53, 2));
  if (!high || !low || !span || !flags) return std::nullopt;
  if ((*high == 0 && *low == 0) || *span == 0) return std::nullopt;
  return TraceContext{*high, *low, *span, (*flags & kSampled) != 0};
}

std::string ToTraceparent(const TraceContext& context) {
  std::string text;
  text.reserve(kLength);
  text += "00-";
  AppendTraceId(context, text);
  text += '-';
  AppendHex(context.span, text);
  text += context.sampled ? "-01" : "-00";
  return text;
}

void AppendTraceId(const TraceContext& context, std::string& text) {
  AppendHex(context.trace_high, text);
  AppendHex(context.trace_low, text);
}

void AppendSpanId(uint64_t span, std::string& text) { AppendHex(span, text); }

std::string TraceIdOf(const TraceContext& context) {
  std::string text;
  AppendTraceId(context, text);
  return text;
}

std::string SpanIdOf(uint64_t span) {
  std::string text;
  AppendHex(span, text);
  return text;
}

bool IsTracestate(std::string_view text) {
  const auto printable = [](char c) { return (c >= ' ' && c < '\x7f') || c == '\t'; };
  return !text.empty() && text.size() <= kMostTracestate && std::ranges::all_of(text, printable);
}

}  // namespace llm_router::contract
