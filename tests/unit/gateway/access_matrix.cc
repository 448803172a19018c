#include "tests/unit/gateway/access_matrix.h"

#include <fmt/format.h>

#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

constexpr AccessLevel kLevels[] = {AccessLevel::kCaller, AccessLevel::kWorker, AccessLevel::kAdmin};

}  // namespace

std::string MatrixKey(AccessLevel level) { return fmt::format("key-{}", NameOf(level)); }

std::vector<KeyConfig> MatrixKeys() {
  std::vector<KeyConfig> keys;
  for (const AccessLevel level : kLevels) {
    KeyConfig& key = keys.emplace_back();
    key.hash = Sha256Hex(MatrixKey(level));
    key.tenant = kMatrixTenant;
    key.access = level;
  }
  return keys;
}

void CheckMatrix(std::span<const Verb> verbs, const std::function<Outcome(const Attempt&)>& attempt) {
  for (const Verb verb : verbs) {
    int said = 0;
    for (const ChannelClassRow& row : AllChannelClasses()) {
      for (const AccessLevel level : kLevels) {
        INFO(fmt::format("{} on \"{}\" with access {}", AllVerbs()[static_cast<size_t>(verb)].name,
                         row.example, NameOf(level)));
        const Outcome outcome = attempt(Attempt{verb, row.example, MatrixKey(level)});
        REQUIRE(outcome != Outcome::kNoSuchVerb);
        if (outcome == Outcome::kNotSayable) continue;
        ++said;
        CHECK((outcome == Outcome::kLetIn) == IsGranted(level, verb, row.channel_class));
      }
    }
    INFO(AllVerbs()[static_cast<size_t>(verb)].name);
    CHECK(said > 0);
  }
}

}  // namespace llm_router::test
