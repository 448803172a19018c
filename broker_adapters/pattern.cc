#include "broker_adapters/pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr std::string_view kOne = "*";
constexpr std::string_view kRest = ">";

bool IsBlank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= ' ' || byte == 0x7f;
}

bool HasBlank(std::string_view text) { return std::any_of(text.begin(), text.end(), IsBlank); }

bool HasEmptyToken(std::string_view text) {
  return text.empty() || text.front() == '.' || text.back() == '.' ||
         text.find("..") != std::string_view::npos;
}

// Shows a stranger's name in an error: cut short, control characters replaced.
std::string Shown(std::string_view name) {
  size_t length = std::min<size_t>(name.size(), 80);
  while (length < name.size() && (name[length] & 0xc0) == 0x80) --length;  // not through a UTF-8 character
  std::string shown(name.substr(0, length));
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c != ' ' && IsBlank(c); }, '?');
  return length < name.size() ? shown + "..." : shown;
}

absl::Status CheckName(std::string_view what, std::string_view name) {
  if (name.empty()) return MakeFault(Fault::kInvalidRequest, fmt::format("the {} is empty: name one", what));
  if (HasBlank(name)) {
    return MakeFault(
        Fault::kInvalidRequest,
        fmt::format("{} \"{}\" holds white space or a control character: take it out", what, Shown(name)));
  }
  if (HasEmptyToken(name)) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("{} \"{}\" has nothing before, after or between its dots: put a name there",
                                 what, Shown(name)));
  }
  return absl::OkStatus();
}

// Takes the text up to the next dot off the front of `rest`.
std::string_view NextToken(std::string_view& rest) {
  const size_t dot = rest.find('.');
  const std::string_view token = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return token;
}

}  // namespace

absl::StatusOr<Pattern> Pattern::Parse(std::string text) {
  if (auto named = CheckName("channel", text); !named.ok()) return named;
  return Pattern(std::move(text));
}

Pattern::Pattern(std::string text) : text_(std::move(text)) {
  for (std::string_view rest = text_; !rest.empty();) tokens_.emplace_back(NextToken(rest));
  has_rest_ = tokens_.back() == kRest;
  is_exact_ = !has_rest_ && std::find(tokens_.begin(), tokens_.end(), kOne) == tokens_.end();
  if (has_rest_) tokens_.pop_back();
  if (is_exact_) tokens_.clear();
}

bool Pattern::Matches(std::string_view channel) const {
  if (is_exact_) return channel == text_;
  std::string_view rest = channel;
  for (const std::string& token : tokens_) {
    if (rest.empty()) return false;
    const std::string_view actual = NextToken(rest);
    if (token != kOne && token != actual) return false;
  }
  return has_rest_ != rest.empty();
}

absl::Status CheckChannel(std::string_view channel) {
  if (auto named = CheckName("channel", channel); !named.ok()) return named;
  if (channel.find_first_of("*>") == std::string_view::npos) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("channel \"{}\" holds a wildcard: only a subscription may", Shown(channel)));
}

absl::Status CheckGroup(std::string_view group) {
  if (!HasBlank(group)) return absl::OkStatus();
  return MakeFault(
      Fault::kInvalidRequest,
      fmt::format("group \"{}\" holds white space or a control character: take it out", Shown(group)));
}

}  // namespace llm_router
