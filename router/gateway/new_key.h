// NewKey: makes a caller's key: the text its bearer keeps, and the entry by which a server knows it.
//
// The text is random and stored nowhere; the entry holds only its SHA-256. Any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "router/config/config.h"

namespace llm_router {

struct NewKey {
  NewKey() = default;

  std::string text;   // llmr_ and 43 letters and digits, 256 random bits
  std::string entry;  // for the configuration's `keys`: one line, a YAML flow map
};

// `wanted` says tenant, routes, access and, if it is to have one, id. Fault invalid_request when the
// configuration would refuse it.
absl::StatusOr<NewKey> MakeKey(const KeyConfig& wanted);

}  // namespace llm_router
