// Keys: who comes in, as whom, and what happens when they are replaced.
#include "router/gateway/access.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

KeyConfig Key(std::string_view key, std::string_view tenant, AccessLevel level = AccessLevel::kCaller) {
  KeyConfig row;
  row.hash = Sha256Hex(key);
  row.tenant = tenant;
  row.access = level;
  return row;
}

TEST_CASE("without keys everyone is tenant default with all access, whatever they present") {
  const Access access;
  CHECK_FALSE(access.has_keys());
  for (const std::string_view presented : {"", "anything", "Bearer anything"}) {
    const auto caller = access.Authenticate(presented);
    REQUIRE(caller.ok());
    CHECK((*caller)->tenant == "default");
    CHECK((*caller)->level == AccessLevel::kAll);
  }
}

TEST_CASE("a key is taken raw or behind Bearer, in any case of that word") {
  const Access access({Key("secret-a", "acme", AccessLevel::kWorker), Key("secret-b", "other")});
  for (const std::string_view presented :
       {"secret-a", "Bearer secret-a", "bearer secret-a", "BEARER  secret-a"}) {
    const auto caller = access.Authenticate(presented);
    REQUIRE(caller.ok());
    CHECK((*caller)->tenant == "acme");
    CHECK((*caller)->level == AccessLevel::kWorker);
  }
  CHECK((*access.Authenticate("secret-b"))->tenant == "other");
}

TEST_CASE("what is no key is refused as unauthenticated, without saying it back") {
  const Access access({Key("secret-a", "acme")});
  const std::string bad[] = {"",
                             "Bearer ",
                             "Bearer",
                             "secret-",
                             "secret-a ",
                             "Basic secret-a",
                             "secret-ab",
                             Sha256Hex("secret-a"),
                             std::string(1'000'000, 'x')};
  for (const std::string& presented : bad) {
    const auto caller = access.Authenticate(presented);
    REQUIRE_FALSE(caller.ok());
    CHECK(FaultOf(caller.status()) == Fault::kUnauthenticated);
    CHECK_THAT(std::string(MessageOf(caller.status())), !Catch::Contains("secret"));
  }
}

TEST_CASE("an empty list of keys lets nobody in") {
  const Access access(std::vector<KeyConfig>{});
  CHECK(access.has_keys());
  CHECK_FALSE(access.Authenticate("").ok());
}

TEST_CASE("a key's id is its own, or the hash's first digits, never the key") {
  KeyConfig named = Key("secret-a", "acme");
  named.id = "billing";
  const Access access({named, Key("secret-b", "acme")});
  CHECK((*access.Authenticate("secret-a"))->id == "billing");
  CHECK((*access.Authenticate("secret-b"))->id == Sha256Hex("secret-b").substr(0, 8));
}

TEST_CASE("replaced keys hold for the next call, and who came in before knows whether its key still does") {
  Access access({Key("stays", "acme"), Key("goes", "acme"), Key("changes", "acme")});
  const CallerPtr stays = *access.Authenticate("stays");
  const CallerPtr goes = *access.Authenticate("goes");
  const CallerPtr changes = *access.Authenticate("changes");
  access.Replace({Key("stays", "acme"), Key("changes", "acme", AccessLevel::kAdmin), Key("new", "acme")});
  CHECK(access.StillHolds(*stays));
  CHECK_FALSE(access.StillHolds(*goes));
  CHECK_FALSE(access.StillHolds(*changes));
  CHECK(access.Authenticate("new").ok());
  CHECK_FALSE(access.Authenticate("goes").ok());
}

TEST_CASE("a key replaced under the same id no longer holds") {
  KeyConfig before = Key("leaked", "acme");
  KeyConfig after = Key("fresh", "acme");
  before.id = after.id = "billing";
  Access access({before});
  const CallerPtr caller = *access.Authenticate("leaked");
  access.Replace({after});
  CHECK_FALSE(access.StillHolds(*caller));
}

TEST_CASE("denials are counted by kind") {
  Access access({Key("secret-a", "acme")});
  access.NoteDenial(access.Authenticate("wrong").status(), "grpc", "10.0.0.7");
  access.NoteDenial(access.Authenticate("").status(), "grpc", "10.0.0.7");
  access.NoteDenial(MakeFault(Fault::kPermissionDenied, "no"), "grpc", "10.0.0.7");
  CHECK(access.stats().unauthenticated == 2);
  CHECK(access.stats().permission_denied == 1);
}

TEST_CASE("keys are checked on many threads while they are replaced") {
  Access access({Key("stays", "acme"), Key("other", "acme")});
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2'000; ++round) refused += access.Authenticate("Bearer stays").ok() ? 0 : 1;
    });
  }
  for (int round = 0; round < 500; ++round)
    access.Replace({Key("stays", "acme"), Key(fmt::format("{}", round), "x")});
  for (std::thread& thread : threads) thread.join();
  CHECK(refused == 0);
}

TEST_CASE("the hash is SHA-256 in hex") {
  // FIPS 180-2, appendix B.1.
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace llm_router
