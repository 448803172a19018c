// JsonMembers, JsonItems: the members of a JSON object, the items of a JSON array, as slices of its text.
//
// For changing a few of them without touching a byte of the others, nor building values. The text must have
// passed CheckBody; on any other a walk ends early, but never past its end. Borrow the text. Pure; any
// thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llm_router {

class JsonMembers {
 public:
  explicit JsonMembers(std::string_view object);

  // The text of the member `key`; nothing when there is none. It may be written with escapes.
  std::optional<std::string_view> Find(std::string_view key) const;

  // Nothing happens where there is no such member. `to` must not be there.
  void Rename(std::string_view key, std::string_view to);
  void Erase(std::string_view key);
  void Replace(std::string_view key, std::string value);  // JSON text

  bool changed() const { return changed_; }
  // The object as it is now.
  std::string Text() const;

 private:
  struct Member {
    std::string_view key;  // as written, with its quotes
    std::string_view value;
  };
  std::vector<Member>::iterator At(std::string_view key);

  std::vector<Member> members_;
  std::deque<std::string> own_;  // texts that replaced those of the object; a deque leaves them in place
  bool changed_ = false;
};

// The text of each item of an array; none when it is no array.
std::vector<std::string_view> JsonItems(std::string_view array);

// Whether `value` is the text of a JSON string that says `text`.
bool IsJsonString(std::string_view value, std::string_view text);

}  // namespace llm_router
