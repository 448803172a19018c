#include "router/telemetry/json_line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

#include "broker_adapters/base/utf8.h"
#include "proto/json_fields.h"

namespace llm_router {
namespace {

constexpr size_t kLongest = 256;  // bytes of a value
constexpr size_t kUsual = 480;    // bytes of a line

// Below 1,000, as three digits.
void AddThree(int64_t number, std::string& text) {
  for (const int64_t place : {100, 10, 1}) text += static_cast<char>('0' + number / place % 10);
}

// Lines come many to a second, and a date costs as much as the rest of one.
struct SecondText {
  int64_t second = -1;
  std::string text;
};

const std::string& TextOf(int64_t second) {
  thread_local SecondText last;
  if (last.second != second)
    last = {second, fmt::format("{:%FT%T}", fmt::gmtime(static_cast<std::time_t>(second)))};
  return last.text;
}

}  // namespace

void AppendJsonText(std::string_view value, std::string& text) {
  if (value.size() <= kLongest) return contract::AppendQuoted(value, text);
  contract::AppendQuoted(Excerpt(value, kLongest), text);
}

JsonLine::JsonLine() {
  text_.reserve(kUsual);
  text_ += '{';
}

void JsonLine::Name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  text_.append(1, '"').append(name).append("\":");
}

void JsonLine::Add(std::string_view name, std::string_view value) {
  Name(name);
  AppendJsonText(value, text_);
}

void JsonLine::Add(std::string_view name, int64_t value) {
  Name(name);
  const fmt::format_int digits(value);
  text_.append(digits.data(), digits.size());
}

void JsonLine::AddMillis(std::string_view name, double seconds) {
  Name(name);
  const auto micros = std::max<int64_t>(std::llround(seconds * 1'000'000), 0);
  const fmt::format_int whole(micros / 1'000);
  text_.append(whole.data(), whole.size()).append(1, '.');
  AddThree(micros % 1'000, text_);
}

void JsonLine::AddTime(std::string_view name, int64_t unix_ms) {
  Name(name);
  text_.append(1, '"').append(TextOf(unix_ms / 1'000)).append(1, '.');
  AddThree(unix_ms % 1'000, text_);
  text_.append("Z\"");
}

std::string JsonLine::Take() && { return std::move(text_ += '}'); }

}  // namespace llm_router
