// JsonWalk: moves over the text of one JSON object or array, value by value, without building any.
//
// The text was validated before; on any other the walk ends early, but never past its end. Borrows the text.
// Pure; any thread.
#pragma once

#include <string_view>

namespace llm_router {

class JsonWalk {
 public:
  // Stands before the first member of an object, the first item of an array.
  explicit JsonWalk(std::string_view text);

  // Moves to the next member of an object; false after the last.
  bool NextMember();
  // Moves to the next item of an array; false after the last.
  bool NextItem();

  std::string_view key() const { return key_; }  // as written, with its quotes
  std::string_view value() const { return value_; }

 private:
  char Here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void Skip(size_t from);
  std::string_view TakeString();
  void TakeValue();
  void TakeNested();

  const std::string_view text_;
  size_t at_;
  std::string_view key_;
  std::string_view value_;
};

}  // namespace llm_router
