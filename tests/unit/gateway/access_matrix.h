// The access matrix: every verb of a door, on an example of every kind of channel, with a key of every
// access.
//
// What is expected comes from the table of rules; whether that says what the contract says is tested apart
// (access_rules_test.cc). A new door brings its verbs and a way to try one.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/gateway/access.h"
#include "router/gateway/access_rules.h"

namespace llm_router::test {

// The keys of the matrix are key-caller, key-worker and key-admin, all of tenant acme.
inline constexpr std::string_view kMatrixTenant = "acme";
std::string MatrixKey(AccessLevel level);
std::vector<KeyConfig> MatrixKeys();

enum class Outcome {
  kLetIn,
  kDenied,
  kNotSayable,  // this door has no way to say it: a wildcard in what is sent, for example
  kNoSuchVerb,  // fails the matrix
};

struct Attempt {
  Verb verb;
  std::string_view channel;
  std::string key;
};

// Tries every cell and checks it; fails for a verb that `attempt` does not know, and for one it can never
// say.
void CheckMatrix(std::span<const Verb> verbs, const std::function<Outcome(const Attempt&)>& attempt);

}  // namespace llm_router::test
