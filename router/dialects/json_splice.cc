#include "router/dialects/json_splice.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "router/dialects/json_body.h"

namespace llm_router {
namespace {

// Walks the members of one object's text. The text was validated before; on any other the walk ends early,
// but never past its end.
class Members {
 public:
  explicit Members(std::string_view object) : text_(object), at_(std::min(object.find('{'), object.size())) {}

  // Moves to the next member; false after the last.
  bool Next() {
    Skip(at_ + 1);  // the brace or the comma
    if (Here() != '"') return false;
    key_ = TakeString();
    Skip(at_);
    if (Here() != ':') return false;
    Skip(at_ + 1);
    const size_t begin = at_;
    TakeValue();
    value_ = text_.substr(begin, at_ - begin);
    Skip(at_);
    return true;
  }

  std::string_view value() const { return value_; }

  // A key may be written with escapes and still be the same key.
  bool KeyIs(std::string_view key) const {
    const std::string_view written = key_.substr(1, key_.size() - 2);
    if (written.find('\\') == written.npos) return written == key;
    const Json decoded = Json::parse(key_, nullptr, false);
    return decoded.is_string() && decoded.get_ref<const std::string&>() == key;
  }

 private:
  char Here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void Skip(size_t from) { at_ = std::min(text_.find_first_not_of(" \t\r\n", from), text_.size()); }

  std::string_view TakeString() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    return text_.substr(begin, at_ - begin);
  }

  void TakeValue() {
    if (Here() == '"') {
      TakeString();
    } else if (Here() == '{' || Here() == '[') {
      TakeNested();
    } else {
      at_ = std::min(text_.find_first_of(",} \t\r\n", at_), text_.size());
    }
  }

  void TakeNested() {
    size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        TakeString();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }

  const std::string_view text_;
  size_t at_;
  std::string_view key_;
  std::string_view value_;
};

}  // namespace

std::optional<std::string_view> TopLevelValue(std::string_view object, std::string_view key) {
  Members members(object);
  while (members.Next()) {
    if (members.KeyIs(key)) return members.value();
  }
  return std::nullopt;
}

std::string WithTopLevelValue(std::string_view object, std::string_view key, std::string_view value) {
  if (const auto old = TopLevelValue(object, key)) {
    const size_t begin = static_cast<size_t>(old->data() - object.data());
    return fmt::format("{}{}{}", object.substr(0, begin), value, object.substr(begin + old->size()));
  }
  const size_t after_brace = std::min(object.find('{'), object.size() - 1) + 1;
  const bool empty = !Members(object).Next();
  return fmt::format("{}{}:{}{}{}", object.substr(0, after_brace), DumpJson(std::string(key)), value,
                     empty ? "" : ",", object.substr(after_brace));
}

}  // namespace llm_router
