#include "router/telemetry/json_line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

#include "broker_adapters/base/utf8.h"
#include "proto/json_fields.h"

namespace llm_router {
namespace {

constexpr size_t kLongest = 256;  // bytes of a value

// Nearly all of them: those stand in JSON as they are.
bool IsPlain(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

}  // namespace

void JsonLine::Name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  text_.append(1, '"').append(name).append("\":");
}

void JsonLine::Add(std::string_view name, std::string_view value) {
  Name(name);
  if (value.size() <= kLongest && IsPlain(value)) {
    text_.append(1, '"').append(value).append(1, '"');
  } else {
    text_ += contract::Dump(contract::Json(Excerpt(value, kLongest)));
  }
}

void JsonLine::Add(std::string_view name, int64_t value) {
  Name(name);
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void JsonLine::AddMillis(std::string_view name, double seconds) {
  Name(name);
  fmt::format_to(std::back_inserter(text_), "{:.3f}", seconds * 1'000);
}

void JsonLine::AddTime(std::string_view name, int64_t unix_ms) {
  Name(name);
  fmt::format_to(std::back_inserter(text_), "\"{:%FT%T}.{:03}Z\"",
                 fmt::gmtime(static_cast<std::time_t>(unix_ms / 1'000)), unix_ms % 1'000);
}

std::string JsonLine::Take() && { return std::move(text_ += '}'); }

}  // namespace llm_router
