// PromptTemplate: the prompt of a chain's step, with {input} and {previous} for what goes into it.
//
// {{ and }} stand for braces. What is put in is taken as it is: braces in it mean nothing. A plain value; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace llm_router {

class PromptTemplate {
 public:
  // Fault invalid_request, "what is wrong: remedy", for a placeholder that is none and for a single brace.
  static absl::StatusOr<PromptTemplate> Parse(std::string_view text);

  // Whether {previous} is in it.
  bool uses_previous() const;

  // The prompt; fault too_large when it would have over `max_bytes`.
  absl::StatusOr<std::string> Render(std::string_view input, std::string_view previous,
                                     size_t max_bytes) const;

 private:
  enum class Kind { kText, kInput, kPrevious };
  struct Piece {
    Kind kind = Kind::kText;
    std::string text;
  };
  void AddText(std::string_view text);

  std::vector<Piece> pieces_;
};

[[nodiscard]] absl::Status CheckPrompt(std::string_view prompt);

}  // namespace llm_router
