#include "router/dialects/json_walk.h"

#include <algorithm>
#include <cstring>

namespace llm_router {

JsonWalk::JsonWalk(std::string_view text)
    : text_(text), at_(std::min(text.find_first_of("{["), text.size())) {}

bool JsonWalk::NextMember() {
  Skip(at_ + 1);  // the brace or the comma
  if (Here() != '"') return false;
  key_ = TakeString();
  Skip(at_);
  if (Here() != ':') return false;
  Skip(at_ + 1);
  TakeValue();
  return true;
}

bool JsonWalk::NextItem() {
  Skip(at_ + 1);  // the bracket or the comma
  if (Here() == ']' || Here() == '\0') return false;
  TakeValue();
  return true;
}

void JsonWalk::Skip(size_t from) { at_ = std::min(text_.find_first_not_of(" \t\r\n", from), text_.size()); }

// Texts are long and quotes in them few: the C library finds those faster than a loop does. One behind an odd
// number of backslashes belongs to the text.
std::string_view JsonWalk::TakeString() {
  const size_t begin = at_++;
  while (at_ < text_.size()) {
    const void* found = std::memchr(text_.data() + at_, '"', text_.size() - at_);
    if (found == nullptr) break;
    const auto quote = static_cast<size_t>(static_cast<const char*>(found) - text_.data());
    size_t backslashes = 0;
    while (text_[quote - 1 - backslashes] == '\\') ++backslashes;
    at_ = quote + 1;
    if (backslashes % 2 == 0) return text_.substr(begin, at_ - begin);
  }
  at_ = text_.size();
  return text_.substr(begin);
}

void JsonWalk::TakeValue() {
  const size_t begin = at_;
  if (Here() == '"') {
    TakeString();
  } else if (Here() == '{' || Here() == '[') {
    TakeNested();
  } else {
    at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
  }
  value_ = text_.substr(begin, at_ - begin);
  Skip(at_);
}

void JsonWalk::TakeNested() {
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

}  // namespace llm_router
