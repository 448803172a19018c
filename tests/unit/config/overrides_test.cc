#include "router/config/overrides.h"

#include "tests/unit/config/loading.h"

namespace llm_router {
namespace {

using test::Loading;

TEST_CASE("a variable reaches what stands below a name or a number") {
  Loading loading(R"(
providers: { lab-1: { type: openai_compatible, base_url: "http://a" } }
routes: { my.route: { targets: [ { provider: lab-1, model: a }, { provider: lab-1, model: b } ] } }
)");
  loading.request.environment = {{"LLM_ROUTER_PROVIDERS_LAB_1_BASE_URL", "http://b"},
                                 {"LLM_ROUTER_ROUTES_MY_ROUTE_CONCURRENCY", "9"},
                                 {"LLM_ROUTER_ROUTES_MY_ROUTE_TARGETS_1_MODEL", "c"}};
  const Config config = loading.Load();
  CHECK(config.providers[0].base_url == "http://b");
  CHECK(config.routes[0].concurrency == 9);
  CHECK(config.routes[0].targets[1].model == "c");
}

TEST_CASE("a variable that is empty says nothing") {
  Loading loading;
  loading.request.environment = {{"LLM_ROUTER_LISTEN_GRPC", ""}, {"LLM_ROUTER_NONSENSE", ""}};
  CHECK(loading.Load().listen.grpc == 50000);
}

TEST_CASE("a variable with two meanings is refused") {
  Loading loading(R"(
routes:
  a-b: { targets: [ { provider: openai, model: m } ] }
  a_b: { targets: [ { provider: openai, model: m } ] }
)");
  loading.request.environment = {{"LLM_ROUTER_ROUTES_A_B_CONCURRENCY", "9"}};
  CHECK(loading.Error() ==
        "configuration: LLM_ROUTER_ROUTES_A_B_CONCURRENCY: means both routes.a-b.concurrency and "
        "routes.a_b.concurrency: use --set instead");
}

TEST_CASE("a variable that names no setting is refused, unless it is another's") {
  Loading loading;
  loading.request.environment = {
      {"LLM_ROUTER_ADDRESS", "127.0.0.1:50000"},      {"LLM_ROUTER_KEY", "k"},
      {"LLM_ROUTER_PORT", "tcp://10.0.0.1:50000"},    {"LLM_ROUTER_PORT_50000_TCP", "tcp://10.0.0.1:50000"},
      {"LLM_ROUTER_PORT_50000_TCP_ADDR", "10.0.0.1"}, {"LLM_ROUTER_SERVICE_HOST", "10.0.0.1"},
      {"LLM_ROUTER_SERVICE_PORT_GRPC", "50000"}};
  loading.Load();
  loading.request.environment = {{"LLM_ROUTER_LISTEN_GPRC", "1"}};
  CHECK(loading.Error() ==
        "configuration: LLM_ROUTER_LISTEN_GPRC: names no setting: did you mean LLM_ROUTER_LISTEN_GRPC?");
  loading.request.environment = {{"LLM_ROUTER_ROUTES_NEW_CONCURRENCY", "1"}};
  CHECK(loading.Error() ==
        "configuration: LLM_ROUTER_ROUTES_NEW_CONCURRENCY: names no setting: unset it; new providers and "
        "routes "
        "come from the file or from --set");
}

TEST_CASE("a wrong override names the variable, or --set") {
  Loading loading;
  loading.request.environment = {{"LLM_ROUTER_LISTEN_GRPC", "x"}};
  CHECK(loading.Error() ==
        "configuration: listen.grpc: \"x\" is no whole number: give a whole number from 0 to 65535 "
        "(LLM_ROUTER_LISTEN_GRPC)");
  loading.request.set = {"listen.grpc=y"};
  CHECK(loading.Error() ==
        "configuration: listen.grpc: \"y\" is no whole number: give a whole number from 0 to 65535 (--set)");
}

TEST_CASE("--set makes entries and items that were not there") {
  Loading loading;
  loading.request.set = {
      "providers.lab.type=openai_compatible",    "providers.lab.base_url=http://127.0.0.1:8001/v1",
      "routes.my.route.targets[0].provider=lab", "routes.my.route.targets[0].model=a=b",
      "routes.openai.targets[1].provider=lab",   "routes.openai.targets[1].model=m"};
  const Config config = loading.Load();
  REQUIRE(config.providers.size() == 3);
  CHECK(config.providers[2].id == "lab");
  REQUIRE(config.routes.size() == 3);
  CHECK(config.routes[0].targets[1].provider == "lab");
  CHECK(config.routes[2].name == "my.route");
  CHECK(config.routes[2].targets[0].model == "a=b");
}

TEST_CASE("--set takes a map or a list as YAML, and reads variables") {
  Loading loading;
  loading.request.environment = {{"MODEL", "m-1"}};
  loading.request.set = {"routes={ r: { targets: [ { provider: openai, model: \"${MODEL}\" } ] } }"};
  const Config config = loading.Load();
  REQUIRE(config.routes.size() == 1);
  CHECK(config.routes[0].targets[0].model == "m-1");
  loading.request.set = {"routes={ r: "};
  CHECK_THAT(loading.Error(),
             Catch::StartsWith("configuration: routes: --set:1:") && Catch::Contains("is not valid YAML"));
}

struct Refused {
  std::string_view assignment;
  std::string_view error;
};

TEST_CASE("a --set that can't be is refused") {
  const auto row = GENERATE(values<Refused>({
      {"listen.grpc", "--set: is no PATH=VALUE: write it like --set listen.grpc=0"},
      {"=1", "--set: is no PATH=VALUE: write it like --set listen.grpc=0"},
      {"listen.gprc=1", "listen.gprc: is no setting: did you mean grpc? (--set)"},
      {"lisen.grpc=1", "lisen: is no setting: did you mean listen? (--set)"},
      {"routes.openai.concurency=1",
       "routes.openai.concurency: is no setting: did you mean concurrency? (--set)"},
      {"routes.openai.targets[0].weight=1",
       "routes.openai.targets[0].weight: weight is not available in this version: remove it, targets are "
       "tried in "
       "the order they are listed (--set)"},
      {"store=x", "store: names no store: write sqlite:DIR (--set)"},
      {"routes.openai.targets[5].model=m",
       "routes.openai.targets[5].model: has no such place to be set: name an item that is there, or the next "
       "one "
       "(--set)"},
  }));
  Loading loading;
  loading.request.set = {std::string(row.assignment)};
  CHECK(loading.Error() == "configuration: " + std::string(row.error));
}

}  // namespace
}  // namespace llm_router
