// Secret: a string that never shows itself: no operator<<, no conversion, wiped when destroyed.
//
// Owned by configuration and by what signs requests. Reveal() is the one way to the value, and every call of
// it is a place to review.
#pragma once

#include <string>
#include <string_view>

namespace llm_router {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();

  bool empty() const { return value_.empty(); }
  std::string_view Reveal() const { return value_; }

  // `text` with every occurrence of this secret replaced by "***": for words of others that may quote it.
  std::string Redact(std::string_view text) const;

 private:
  void Wipe();

  std::string value_;
};

}  // namespace llm_router
