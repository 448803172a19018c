#include "router/config/env_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Takes one line off `rest`.
std::string_view TakeLine(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

char Unescape(char escaped) {
  switch (escaped) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    default:
      return escaped;
  }
}

// Takes a quoted value and the rest of its line off `rest`, which begins with the quote. Nothing when the
// quote does not close, or something other than a comment follows it.
std::optional<std::string> TakeQuoted(std::string_view& rest) {
  const char quote = rest.front();
  std::string value;
  size_t at = 1;
  for (; at < rest.size() && rest[at] != quote; ++at) {
    const bool escapes = quote == '"' && rest[at] == '\\' && at + 1 < rest.size();
    value += escapes ? Unescape(rest[++at]) : rest[at];
  }
  if (at >= rest.size()) return std::nullopt;
  rest.remove_prefix(at + 1);
  const std::string_view after = Trim(TakeLine(rest));
  if (!after.empty() && !after.starts_with('#')) return std::nullopt;
  return value;
}

std::string TakePlain(std::string_view& rest) {
  std::string_view value = TakeLine(rest);
  if (value.starts_with('#')) return {};
  value = value.substr(0, std::min(value.find(" #"), value.find("\t#")));
  return std::string(Trim(value));
}

class EnvFile {
 public:
  EnvFile(std::string_view text, std::string_view source) : text_(text), source_(source) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    rest_ = text_;
  }

  absl::StatusOr<Environment> Parse() {
    while (!rest_.empty()) {
      begin_ = rest_;
      const std::string_view line = Trim(rest_.substr(0, rest_.find('\n')));
      if (line.empty() || line.starts_with('#')) {
        TakeLine(rest_);
      } else if (!TakeAssignment()) {
        return Refuse();
      }
    }
    return std::move(values_);
  }

 private:
  bool TakeAssignment() {
    const size_t equals = rest_.substr(0, rest_.find('\n')).find('=');
    if (equals == std::string_view::npos) return false;
    std::string_view name = Trim(rest_.substr(0, equals));
    if (name.starts_with("export ") || name.starts_with("export\t")) name = Trim(name.substr(6));
    if (!IsVariableName(name)) return false;
    rest_.remove_prefix(equals + 1);
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size()));
    const bool quoted = rest_.starts_with('"') || rest_.starts_with('\'');
    std::optional<std::string> value = quoted ? TakeQuoted(rest_) : TakePlain(rest_);
    if (!value) return false;
    values_.insert_or_assign(std::string(name), *std::move(value));
    return true;
  }

  absl::Status Refuse() const {
    const auto line = std::count(text_.begin(), text_.end() - static_cast<long>(begin_.size()), '\n') + 1;
    return MakeFault(
        Fault::kInvalidRequest,
        fmt::format("{}:{}: is not NAME=VALUE: write one a line, with a value that has spaces or # in quotes",
                    source_, line));
  }

  std::string_view text_;
  std::string_view source_;
  std::string_view rest_;
  std::string_view begin_;  // `rest_` at the assignment now read
  Environment values_;
};

}  // namespace

absl::StatusOr<Environment> ParseEnvFile(std::string_view text, std::string_view source) {
  return EnvFile(text, source).Parse();
}

}  // namespace llm_router
