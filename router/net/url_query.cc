#include "router/net/url_query.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

std::optional<char> Escaped(std::string_view digits) {
  unsigned char byte = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
  if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
  return static_cast<char>(byte);
}

absl::StatusOr<std::string> Decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    const auto byte = Escaped(text.substr(i + 1, 2));
    if (!byte) {
      return MakeFault(Fault::kInvalidRequest,
                       fmt::format("the URL's query has a % that begins no escape: \"{}\"", Excerpt(text)));
    }
    plain.push_back(*byte);
    i += 2;
  }
  return plain;
}

}  // namespace

absl::StatusOr<UrlQuery> ParseUrlQuery(std::string_view text) {
  UrlQuery query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = Decoded(pair.substr(0, equals));
    auto value = Decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!name.ok()) return name.status();
    if (!value.ok()) return value.status();
    if (!query.emplace(*name, *std::move(value)).second) {
      return MakeFault(Fault::kInvalidRequest,
                       fmt::format("the URL's query has \"{}\" twice: send it once", Excerpt(*name)));
    }
  }
  return query;
}

}  // namespace llm_router
