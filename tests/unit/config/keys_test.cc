// Keys in the configuration and in a file of their own, and who may reach the server without any.
#include "tests/unit/config/loading.h"

namespace llm_router {
namespace {

using test::Loading;

constexpr std::string_view kHashA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr std::string_view kHashB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

std::string Entry(std::string_view hash, std::string_view rest = "tenant: acme") {
  return "{ hash: \"" + std::string(hash) + "\", " + std::string(rest) + " }";
}

TEST_CASE("keys are read with tenant, access, routes and id") {
  const Config config =
      Loading("keys:\n  - " + Entry(kHashA) + "\n  - " +
              Entry(kHashB, "tenant: t-2, access: worker, routes: [openai, eu.claude], id: w1") + "\n")
          .Load();
  REQUIRE(config.keys.size() == 2);
  CHECK(config.keys[0].hash == kHashA.substr(7));
  CHECK(config.keys[0].tenant == "acme");
  CHECK(config.keys[0].access == AccessLevel::kCaller);
  CHECK(config.keys[0].routes.empty());
  CHECK(config.keys[0].id.empty());
  CHECK(config.keys[1].access == AccessLevel::kWorker);
  CHECK(config.keys[1].routes == std::vector<std::string>{"openai", "eu.claude"});
  CHECK(config.keys[1].id == "w1");
}

TEST_CASE("a file of keys adds to those of the configuration, as a list or under keys") {
  for (const std::string& text : {"- " + Entry(kHashB) + "\n", "keys: [ " + Entry(kHashB) + " ]\n"}) {
    Loading loading("keys: [ " + Entry(kHashA) + " ]\nkeys_file: keys.yaml\n");
    loading.Write("keys.yaml", text);
    const Config config = loading.Load();
    REQUIRE(config.keys.size() == 2);
    CHECK(config.keys[1].hash == kHashB.substr(7));
    CHECK(config.keys_file == "keys.yaml");
  }
}

TEST_CASE("an empty file of keys is a server that asks for keys and has none") {
  Loading loading("keys_file: keys.yaml\nlisten: { host: 0.0.0.0 }\n");
  loading.Write("keys.yaml", "");
  CHECK(loading.Load().keys.empty());
}

TEST_CASE("what is wrong in a file of keys is told with its line") {
  Loading loading("keys: [ " + Entry(kHashA) + " ]\nkeys_file: keys.yaml\n");
  loading.Write("keys.yaml", "- " + Entry(kHashB) + "\n- { hash: \"" + std::string(kHashB) + "\" }\n");
  CHECK_THAT(loading.Error(),
             Catch::Contains("keys[2].tenant: is missing") && Catch::Contains("keys.yaml:2"));
  loading.Write("keys.yaml", "listen: {}\n");
  CHECK_THAT(loading.Error(), Catch::Contains("keys_file: keys.yaml is no list of keys"));
  std::filesystem::remove(loading.request.directory / "keys.yaml");
  CHECK_THAT(loading.Error(), Catch::Contains("keys_file") && Catch::Contains("can't be read"));
}

TEST_CASE("the key itself in place of its hash is refused without quoting it") {
  const std::string error = Loading("keys: [ " + Entry("llmr_secretsecretsecret") + " ]\n").Error();
  CHECK_THAT(error, Catch::Contains("keys[0].hash: is no hash of a key") && !Catch::Contains("llmr_"));
  CHECK_THAT(Loading("keys: [ { hash: \"\", tenant: a } ]\n").Error(),
             Catch::Contains("llm-router keys new"));
}

TEST_CASE("a tenant, an id or a route that no channel could have is refused") {
  CHECK_THAT(Loading("keys: [ " + Entry(kHashA, "tenant: a.b") + " ]\n").Error(),
             Catch::Contains("keys[0].tenant"));
  CHECK_THAT(Loading("keys: [ " + Entry(kHashA, "tenant: \"a*\"") + " ]\n").Error(),
             Catch::Contains("keys[0].tenant"));
  CHECK_THAT(Loading("keys: [ " + Entry(kHashA, "tenant: a, id: \"a b\"") + " ]\n").Error(),
             Catch::Contains("keys[0].id"));
  CHECK_THAT(Loading("keys: [ " + Entry(kHashA, "tenant: a, routes: [llm_x]") + " ]\n").Error(),
             Catch::Contains("keys[0].routes[0]"));
}

TEST_CASE("the same key or id twice is refused, across the files too") {
  Loading loading("keys: [ " + Entry(kHashA, "tenant: a, id: one") + " ]\nkeys_file: keys.yaml\n");
  loading.Write("keys.yaml", "- " + Entry(kHashA) + "\n- " + Entry(kHashB, "tenant: b, id: one") + "\n");
  CHECK_THAT(loading.Error(), Catch::Contains("keys[1].hash: is that of keys[0] too") &&
                                  Catch::Contains("keys[2].id: is that of keys[0] too"));
}

TEST_CASE("without keys only this machine may reach the server, unless access is open") {
  for (const std::string_view host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"})
    CHECK(Loading("listen: { host: \"" + std::string(host) + "\" }\n").Load().listen.host == host);
  for (const std::string_view host : {"0.0.0.0", "::", "10.1.2.3", "gateway.example"}) {
    const std::string listen = "listen: { host: \"" + std::string(host) + "\" }\n";
    CHECK_THAT(Loading(listen).Error(), Catch::Contains("listen.host") &&
                                            Catch::Contains("llm-router keys new") &&
                                            Catch::Contains("access: open"));
    CHECK(Loading(listen + "access: open\n").Load().open_access);
    CHECK(Loading(listen + "keys: [ " + Entry(kHashA) + " ]\n").Load().keys.size() == 1);
  }
}

TEST_CASE("open access and keys contradict each other") {
  CHECK_THAT(Loading("access: open\nkeys: [ " + Entry(kHashA) + " ]\n").Error(),
             Catch::Contains("remove one of the two"));
}

}  // namespace
}  // namespace llm_router
