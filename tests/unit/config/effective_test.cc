#include "router/config/effective.h"

#include "router/config/yaml_text.h"
#include "tests/unit/config/loading.h"

namespace llm_router {
namespace {

using test::Loading;

std::string Effective(const Loading& loading) {
  const auto shown = ReadEffectiveSettings(loading.request);
  INFO(shown.status());
  REQUIRE(shown.ok());
  return ToYaml(*shown, true);
}

std::string Written(const Loading& loading) {
  const auto shown = ReadWrittenSettings(loading.request);
  INFO(shown.status());
  REQUIRE(shown.ok());
  return ToYaml(*shown, false);
}

constexpr std::string_view kFile =
    "listen: { grpc: 1 }\n"
    "providers:\n"
    "  a: { type: openai, key: sk-literal }\n"
    "  b: { type: openai, key: \"${B_KEY}\" }\n"
    "  c: { type: openai, key: \"${UNSET_KEY}\" }\n"
    "routes:\n"
    "  r.s: { targets: [ { provider: a }, { provider: b, model: m } ] }\n";

TEST_CASE("every value in force is shown with where it came from") {
  Loading loading(kFile);
  loading.request.environment = {{"LLM_ROUTER_LISTEN_REST", "2"}};
  loading.request.set = {"listen.admin=3"};
  const std::string shown = Effective(loading);
  for (const char* line :
       {"broker:\n  url: embedded:./llm-router-data  # default\n", "  grpc: 1  # llm-router.yaml:1\n",
        "  rest: 2  # LLM_ROUTER_LISTEN_REST\n", "  admin: 3  # --set\n", "  http: 4000  # default\n",
        "  r.s:\n    concurrency: 256  # default\n", "      - provider: a  # llm-router.yaml:7\n",
        "        model: gpt-4o-mini  # default\n"}) {
    CHECK_THAT(shown, Catch::Contains(line));
  }
}

TEST_CASE("a group given by one bare value is shown in full, as the same group written out") {
  const std::string shown =
      Effective(Loading("broker: nats://n:4222\ntracing: \"http://c:4318\"\nroutes: {}\n"));
  CHECK_THAT(shown, Catch::Contains("broker:\n  url: nats://n:4222  # llm-router.yaml:1\n") &&
                        Catch::Contains("  replicas: 1  # default\n") &&
                        Catch::Contains("  endpoint: http://c:4318  # llm-router.yaml:2\n") &&
                        Catch::Contains("  sample_percent: 10  # default\n"));
  const std::string written_out = Effective(
      Loading("broker: { url: \"nats://n:4222\" }\ntracing: { endpoint: \"http://c:4318\" }\nroutes: {}\n"));
  CHECK(shown == written_out);
  const Loading again(shown);
  CHECK(again.Load().tracing.endpoint == "http://c:4318");
  CHECK(again.Load().version == Loading(written_out).Load().version);
}

TEST_CASE("a secret is shown as *** wherever it came from, and as nothing where it is not set") {
  Loading loading(kFile);
  loading.request.environment = {{"B_KEY", "sk-variable"}};
  const std::string shown = Effective(loading);
  CHECK_THAT(shown, !Catch::Contains("sk-"));
  CHECK_THAT(shown, Catch::Contains("key: \"***\"  # llm-router.yaml:3\n") &&
                        Catch::Contains("key: \"***\"  # llm-router.yaml:4\n") &&
                        Catch::Contains("key: \"\"  # llm-router.yaml:5, where UNSET_KEY is not set\n"));
  CHECK(Written(loading).find("sk-literal") == std::string::npos);
  CHECK_THAT(Written(loading), Catch::Contains("key: \"${B_KEY}\"\n") && Catch::Contains("key: \"***\"\n"));
}

TEST_CASE("of a group that is given as one value, the defaults of the rest are shown too") {
  const std::string shown = Effective(Loading(std::string(kFile) + "broker: kubemq://host:1\n"));
  CHECK_THAT(shown, Catch::Contains("  url: kubemq://host:1  # llm-router.yaml:8\n") &&
                        Catch::Contains("  replicas: 1  # default\n"));
}

TEST_CASE("what the file says is shown as it is, also when it can't be used") {
  CHECK(Written(Loading("log: loud\nroutes: {}\n")) == "log: loud\nroutes: {}\n");
  CHECK_THAT(Written(Loading()), Catch::Contains("${OPENAI_API_KEY}"));  // what is built in
}

TEST_CASE("a secret under a mistyped name, in part of a value or in a URL is hidden too") {
  const std::string shown = Written(
      Loading("providers: { a: { kye: sk-1, key: \"x${NAME}sk-2\" } }\nproviderz: { a: [ { key: sk-3 } ] }\n"
              "broker: redis://user:sk-4@host:1/0\n"));
  CHECK_THAT(shown, !Catch::Contains("sk-"));
  CHECK_THAT(shown, Catch::Contains("broker: \"redis://***@host:1/0\""));
}

TEST_CASE("a configuration that can't be used has no values in force") {
  const Loading loading("log: loud\n");
  CHECK_THAT(std::string(MessageOf(ReadEffectiveSettings(loading.request).status())), Catch::Contains("log"));
}

}  // namespace
}  // namespace llm_router
