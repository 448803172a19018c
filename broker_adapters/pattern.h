// Pattern: what a subscription asks for, and the names it matches.
//
// Names are tokens joined by dots. `*` as a whole token stands for exactly one, `>` as the whole last token
// for one or more. Anywhere else the two are ordinary characters, which no channel holds: such a pattern is
// accepted and matches nothing, as on a KubeMQ server. Values; pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace llm_router {

class Pattern {
 public:
  // Fault invalid_request for what can never be a pattern.
  static absl::StatusOr<Pattern> Parse(std::string text);

  bool Matches(std::string_view channel) const;
  // Without wildcards: matches the channel of the same name only.
  bool is_exact() const { return is_exact_; }
  const std::string& text() const { return text_; }

 private:
  explicit Pattern(std::string text);

  std::string text_;
  std::vector<std::string> tokens_;
  bool is_exact_ = true;
  bool has_rest_ = false;  // ends with `>`
};

// Fault invalid_request unless `channel` can be sent to: no wildcard, no white space or control character, no
// empty token.
[[nodiscard]] absl::Status CheckChannel(std::string_view channel);

// The same for the name of a group; empty is allowed.
[[nodiscard]] absl::Status CheckGroup(std::string_view group);

}  // namespace llm_router
