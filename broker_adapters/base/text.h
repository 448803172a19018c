// Reading numbers out of text, whole or not at all. Pure; any thread.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace llm_router {

// `text` as a Number, or nothing unless every character of it belongs to one that fits.
template <class Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace llm_router
