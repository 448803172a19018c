// New keys: what they look like, and that the server's configuration takes their entry as it was printed.
#include "router/gateway/new_key.h"

#include <set>

#include "broker_adapters/base/status.h"
#include "router/gateway/access.h"
#include "tests/support/catch.h"
#include "tests/unit/config/loading.h"

namespace llm_router {
namespace {

KeyConfig Wanted(std::string_view tenant) {
  KeyConfig wanted;
  wanted.tenant = tenant;
  return wanted;
}

TEST_CASE("a key is long, recognisable, and never the same twice") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto key = MakeKey(Wanted("acme"));
    REQUIRE(key.ok());
    CHECK(key->text.starts_with("llmr_"));
    CHECK(key->text.size() == 48);
    CHECK(key->text.find_first_not_of(
              "llmr_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == std::string::npos);
    CHECK(seen.insert(key->text).second);
  }
}

TEST_CASE("the entry works pasted into keys or a file of keys, and lets its key in") {
  KeyConfig wanted = Wanted("no");  // to YAML no name, unless it is quoted
  wanted.access = AccessLevel::kWorker;
  wanted.routes = {"openai", "1e3"};
  wanted.id = "billing";
  const auto key = MakeKey(wanted);
  REQUIRE(key.ok());
  CHECK(key->entry.find('\n') == std::string::npos);
  CHECK(key->entry.find(key->text) == std::string::npos);
  test::Loading in_file("keys_file: keys.yaml\n");
  in_file.Write("keys.yaml", "- " + key->entry + "\n");
  for (const Config& config : {test::Loading("keys:\n  - " + key->entry + "\n").Load(),
                               test::Loading("keys: [ " + key->entry + " ]\n").Load(), in_file.Load()}) {
    const Access access(config.keys);
    const auto caller = access.Authenticate(key->text);
    REQUIRE(caller.ok());
    CHECK((*caller)->id == "billing");
    CHECK((*caller)->tenant == "no");
    CHECK((*caller)->level == AccessLevel::kWorker);
    CHECK((*caller)->routes == std::vector<std::string>{"openai", "1e3"});
  }
}

TEST_CASE("a key that the configuration would refuse is not made") {
  KeyConfig routes = Wanted("acme");
  routes.routes = {"llm_x"};
  KeyConfig id = Wanted("acme");
  id.id = "a b";
  for (const KeyConfig& wanted : {Wanted(""), Wanted("a.b"), Wanted("a\" }"), routes, id})
    CHECK_FALSE(MakeKey(wanted).ok());
}

}  // namespace
}  // namespace llm_router
