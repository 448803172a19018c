// LabelCap: which values of a label have series of their own.
//
// What a stranger can name (tenants; routes of jobs) must not make series without end: the first `most`
// values keep theirs, all others share `other`. So do values that no label can have: over 128 bytes, or not
// UTF-8. What was admitted stays. Not for several threads at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace llm_router {

inline constexpr std::string_view kOtherLabel = "other";

// For looking a name up without a copy: Debian's Abseil has a string_view of its own.
inline absl::string_view KeyOf(std::string_view name) { return {name.data(), name.size()}; }

class LabelCap {
 public:
  explicit LabelCap(size_t most) : most_(most) {}

  // `value`, or kOtherLabel.
  std::string_view Admit(std::string_view value);

 private:
  const size_t most_;
  absl::flat_hash_set<std::string> admitted_;
};

}  // namespace llm_router
