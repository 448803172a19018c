#include "router/config/load.h"

#include "tests/unit/config/loading.h"

namespace llm_router {
namespace {

using test::Loading;

// The file that the documentation shows, as it is written there.
constexpr std::string_view kExample =
    R"(broker: embedded:./llm-router-data        # kubemq://host:50000  nats://a,b  redis://  amqp://, or { url, key, ca, cert, cert_key }
# store: sqlite:DIR                       default: the broker's folder
listen: { host: 127.0.0.1, grpc: 50000, rest: 9090, admin: 8080, http: 4000 }
providers:
  openai:    { type: openai, key: "${OPENAI_API_KEY}" }
  anthropic: { type: anthropic, key: "${ANTHROPIC_API_KEY}" }
  lab:       { type: openai_compatible, base_url: "http://127.0.0.1:8001/v1" }
routes:
  openai: { targets: [ { provider: openai, model: gpt-4o-mini } ], concurrency: 256 }
  claude: { targets: [ { provider: anthropic, model: claude-sonnet-4-5 } ] }
)";

TEST_CASE("the example file works as it is written") {
  Loading loading(kExample);
  loading.request.environment = {{"OPENAI_API_KEY", "sk-1"}};
  const Config config = loading.Load();
  CHECK(config.broker.url == "embedded:./llm-router-data");
  CHECK(config.listen.host == "127.0.0.1");
  CHECK(config.listen.grpc == 50000);
  CHECK(config.listen.rest == 9090);
  CHECK(config.listen.admin == 8080);
  CHECK(config.listen.http == 4000);
  REQUIRE(config.providers.size() == 3);
  CHECK(config.providers[0].id == "openai");
  CHECK(config.providers[0].type == "openai");
  CHECK(config.providers[0].key.Reveal() == "sk-1");
  CHECK(config.providers[1].key.empty());
  CHECK(config.providers[1].key_variable == "ANTHROPIC_API_KEY");
  CHECK(config.providers[2].base_url == "http://127.0.0.1:8001/v1");
  REQUIRE(config.routes.size() == 2);
  CHECK(config.routes[0].name == "openai");
  CHECK(config.routes[0].concurrency == 256);
  REQUIRE(config.routes[0].targets.size() == 1);
  CHECK(config.routes[0].targets[0].provider == "openai");
  CHECK(config.routes[0].targets[0].model == "gpt-4o-mini");
  CHECK(config.routes[1].concurrency == 256);
}

TEST_CASE("without a file the built-in settings are in force, and are those of a default Config") {
  const Config config = Loading().Load();
  const Config defaults;
  CHECK(config.broker.url == defaults.broker.url);
  CHECK(config.log_level == defaults.log_level);
  CHECK(config.limits.body == defaults.limits.body);
  CHECK(config.listen.host == defaults.listen.host);
  CHECK(config.listen.grpc == defaults.listen.grpc);
  CHECK(config.listen.rest == defaults.listen.rest);
  CHECK(config.listen.admin == defaults.listen.admin);
  CHECK(config.listen.http == defaults.listen.http);
  REQUIRE(config.providers.size() == 2);
  CHECK(config.providers[0].key_variable == "OPENAI_API_KEY");
  CHECK(config.providers[1].key_variable == "ANTHROPIC_API_KEY");
  REQUIRE(config.routes.size() == 2);
  CHECK(config.routes[0].name == "openai");
  CHECK(config.routes[0].targets[0].model == "gpt-4o-mini");
  CHECK(config.routes[0].concurrency == RouteConfig().concurrency);
  CHECK(config.routes[0].reserve == RouteConfig().reserve);
  CHECK(config.routes[1].name == "claude");
  CHECK(config.routes[1].targets[0].model == "claude-sonnet-4-5");
}

TEST_CASE("an empty file, and one of comments, says nothing") {
  CHECK(Loading("").Load().routes.size() == 2);
  CHECK(Loading("# nothing yet\n").Load().routes.size() == 2);
  CHECK(Loading("providers:\nroutes:\nlisten:\n").Load().routes.size() == 2);
}

TEST_CASE("a file that names providers has only those, and the built-in routes that they serve") {
  const Config config = Loading("providers: { openai: { type: openai } }").Load();
  CHECK(config.providers.size() == 1);
  REQUIRE(config.routes.size() == 1);
  CHECK(config.routes[0].name == "openai");
}

TEST_CASE("the file is the one given, else the variable's, else the directory's, else the system's") {
  Loading loading;
  CHECK(loading.Load().log_level == "info");
  loading.Write("etc/llm-router.yaml", "log: error");
  CHECK(loading.Load().log_level == "error");
  loading.Write("llm-router.yaml", "log: warning");
  CHECK(loading.Load().log_level == "warning");
  loading.Write("named.yaml", "log: debug");
  loading.request.environment["LLM_ROUTER_CONFIG"] = "named.yaml";
  CHECK(loading.Load().log_level == "debug");
  loading.Write("given.yaml", "log: info");
  loading.request.file = "given.yaml";
  CHECK(loading.Load().log_level == "info");
}

TEST_CASE("a file that was named must be there and be readable") {
  Loading loading("log: error");
  loading.request.environment["LLM_ROUTER_CONFIG"] = "absent.yaml";
  CHECK_THAT(loading.Error(),
             Catch::StartsWith("$LLM_ROUTER_CONFIG: ") &&
                 Catch::EndsWith("absent.yaml: can't be read: No such file or directory: check its "
                                 "path and permissions"));
  loading.request.file = "gone.yaml";
  CHECK_THAT(loading.Error(),
             Catch::StartsWith("-c: ") && Catch::Contains("gone.yaml: can't be read: No such file"));
  loading.request.file = ".";
  CHECK_THAT(loading.Error(), Catch::Contains("it is a directory"));
  loading.Write("large.yaml", std::string(1024 * 1024 + 1, '#'));
  loading.request.file = "large.yaml";
  CHECK_THAT(loading.Error(), Catch::Contains("it is larger than 1 MiB"));
}

TEST_CASE("--set goes over the environment, which goes over the file, which goes over the defaults") {
  Loading loading("listen: { grpc: 1, rest: 2, admin: 3 }");
  loading.request.environment = {{"LLM_ROUTER_LISTEN_GRPC", "11"}, {"LLM_ROUTER_LISTEN_REST", "12"}};
  loading.request.set = {"listen.grpc=21"};
  const Config config = loading.Load();
  CHECK(config.listen.grpc == 21);
  CHECK(config.listen.rest == 12);
  CHECK(config.listen.admin == 3);
  CHECK(config.listen.http == 4000);
}

TEST_CASE("the real environment goes over .env, which can do all the same") {
  Loading loading;
  loading.Write(".env", "OPENAI_API_KEY=from-file\nANTHROPIC_API_KEY=from-file\nLLM_ROUTER_LOG=debug\n");
  loading.request.environment = {{"OPENAI_API_KEY", "from-environment"}};
  const Config config = loading.Load();
  CHECK(config.providers[0].key.Reveal() == "from-environment");
  CHECK(config.providers[1].key.Reveal() == "from-file");
  CHECK(config.log_level == "debug");
  loading.Write(".env", "OPENAI_API_KEY\n");
  CHECK(loading.Error() ==
        ".env:1: is not NAME=VALUE: write one a line, with a value that has spaces or # in quotes");
}

TEST_CASE("many providers of one type stand side by side under their own ids") {
  const Config config = Loading(R"(
providers:
  one: { type: openai, key: "${KEY_ONE}" }
  two: { type: openai, key: "${KEY_TWO}" }
  three.eu: { type: openai, key: literal }
routes: { r: { targets: [ { provider: two, model: m }, { provider: three.eu } ] } }
)")
                            .Load();
  REQUIRE(config.providers.size() == 3);
  CHECK(config.providers[1].key_variable == "KEY_TWO");
  CHECK(config.providers[2].key_variable.empty());
  REQUIRE(config.routes[0].targets.size() == 2);
  CHECK(config.routes[0].targets[1].model == "gpt-4o-mini");  // its type's default
}

TEST_CASE("a provider may have the version of its API and headers of its own, whose values are secrets") {
  Loading loading(R"(
providers:
  eu: { type: azure, base_url: "https://r.openai.azure.com", api_version: 2025-01-01-preview }
  or: { type: openai, headers: { HTTP-Referer: "https://example.org/a b", X-Team: "${TEAM}" } }
routes: {}
)");
  loading.request.environment["TEAM"] = "red";
  loading.request.set = {"providers.eu.headers={ X-A: 1 }"};
  const Config config = loading.Load();
  CHECK(config.providers[0].api_version == "2025-01-01-preview");
  REQUIRE(config.providers[0].headers.size() == 1);
  CHECK(config.providers[0].headers[0].first == "x-a");
  const auto& headers = config.providers[1].headers;
  REQUIRE(headers.size() == 2);
  CHECK(headers[0].first == "http-referer");
  CHECK(headers[0].second.Reveal() == "https://example.org/a b");
  CHECK(headers[1].second.Reveal() == "red");
  loading.request.environment["TEAM"] = "blue";
  CHECK(loading.Load().version == config.version);
}

TEST_CASE("tracing is off without an endpoint, and its headers are secrets that may carry a key") {
  CHECK(Loading("routes: {}").Load().tracing.endpoint.empty());
  CHECK(Loading("tracing: \"http://c:4318\"").Load().tracing.endpoint == "http://c:4318");
  Loading loading(R"(
tracing: { endpoint: "https://otel.example.com/in", headers: { Authorization: "Basic ${TOKEN}" }, sample_percent: 5 }
)");
  loading.request.environment["TOKEN"] = "red";
  const TracingConfig tracing = loading.Load().tracing;
  CHECK(tracing.endpoint == "https://otel.example.com/in");
  REQUIRE(tracing.headers.size() == 1);
  CHECK(tracing.headers[0].first == "authorization");
  CHECK(tracing.headers[0].second.Reveal() == "Basic red");
  CHECK(tracing.sample_percent == 5);
  CHECK(Loading("routes: {}").Load().tracing.sample_percent == 10);
}

TEST_CASE("an endpoint for spans that is none, and headers that calls have themselves, are refused") {
  const auto [text, complaint] = GENERATE(table<std::string, std::string>({
      {"tracing: collector:4318", "does not begin with http:// or https://"},
      {"tracing: \"http://u:p@c:4318\"", "give the key as a header"},
      {"tracing: { endpoint: \"http://c\", headers: { Host: x } }", "is written by the call itself"},
      {"tracing: { endpoint: \"http://c\", sample_percent: 101 }", "tracing.sample_percent"},
  }));
  CHECK_THAT(Loading(text).Error(), Catch::Matchers::Contains(complaint));
}

TEST_CASE("a broker is a URL or a map with one") {
  CHECK(Loading("broker: kubemq://b:50000").Load().broker.url == "kubemq://b:50000");
  CHECK(Loading("broker: { url: \"kubemq://b:50000\" }").Load().broker.url == "kubemq://b:50000");
  Loading loading("broker: { url: \"kubemq://b:50000\" }");
  loading.request.environment["LLM_ROUTER_BROKER"] = "kubemq://c:50000";
  CHECK(loading.Load().broker.url == "kubemq://c:50000");
  loading.request.set = {"broker.url=kubemq://d:50000"};
  CHECK(loading.Load().broker.url == "kubemq://d:50000");
}

TEST_CASE("TLS has a certificate, its key, and the CA of callers") {
  const TlsFiles tls =
      Loading("listen: { tls: { cert: a.pem, cert_key: a.key, client_ca: ca.pem } }").Load().listen.tls;
  CHECK(tls.cert == "a.pem");
  CHECK(tls.cert_key == "a.key");
  CHECK(tls.ca == "ca.pem");
  CHECK(Loading("").Load().listen.tls.empty());
}

TEST_CASE("a broker elsewhere may ask for a key and a certificate") {
  Loading loading(
      "broker: { url: \"kubemq://b:50000\", key: \"${BROKER_KEY}\", ca: ca.pem, cert: me.pem, cert_key: "
      "me.key }");
  loading.request.environment["BROKER_KEY"] = "k1";
  const BrokerConfig broker = loading.Load().broker;
  CHECK(broker.url == "kubemq://b:50000");
  CHECK(broker.key.Reveal() == "k1");
  CHECK(broker.tls.ca == "ca.pem");
  CHECK(broker.tls.cert == "me.pem");
  CHECK(broker.tls.cert_key == "me.key");
  loading.request.environment["LLM_ROUTER_BROKER_KEY"] = "k2";
  CHECK(loading.Load().broker.key.Reveal() == "k2");
}

TEST_CASE("NATS has users, credentials files, and streams with replicas") {
  Loading loading(
      "broker: { url: \"nats://a:4222,b:4222\", user: me, password: \"${PASSWORD}\", creds: me.creds, "
      "replicas: 3, storage: memory }");
  loading.request.environment["PASSWORD"] = "two words";
  const BrokerConfig broker = loading.Load().broker;
  CHECK(broker.user == "me");
  CHECK(broker.password.Reveal() == "two words");
  CHECK(broker.creds == "me.creds");
  CHECK(broker.replicas == 3);
  CHECK(broker.in_memory);
  CHECK(Loading("").Load().broker.replicas == 1);
  CHECK_FALSE(Loading("").Load().broker.in_memory);
}

TEST_CASE("a routes map may be empty, for a process that only carries messages") {
  CHECK(Loading("routes: {}").Load().routes.empty());
}

TEST_CASE("anchors and aliases serve several routes") {
  const Config config = Loading(R"(
routes:
  a: &shared { targets: [ { provider: openai, model: m } ], concurrency: 7 }
  b: *shared
)")
                            .Load();
  REQUIRE(config.routes.size() == 2);
  CHECK(config.routes[1].name == "b");
  CHECK(config.routes[1].concurrency == 7);
}

TEST_CASE("a route reserves a tenth of its slots for queries, unless it says how many") {
  const Config config = Loading(R"(
routes:
  a: { targets: [ { provider: openai, model: m } ] }
  b: { targets: [ { provider: openai, model: m } ], concurrency: 9 }
  c: { targets: [ { provider: openai, model: m } ], concurrency: 4, reserve: 4 }
)")
                            .Load();
  REQUIRE(config.routes.size() == 3);
  CHECK(config.routes[0].reserve == 25);
  CHECK(config.routes[1].reserve == 0);
  CHECK(config.routes[2].reserve == 4);
}

TEST_CASE("jobs are kept a week, run five times and begun again, unless a route says otherwise") {
  const Config config = Loading(R"(
store: sqlite:/var/lib/jobs
jobs: { keep_results: 24 }
routes:
  a: { targets: [ { provider: openai, model: m } ] }
  b: { targets: [ { provider: openai, model: m } ], redelivery: at_most_once, runs: 2, job_concurrency: 3 }
)")
                            .Load();
  CHECK(config.store == "sqlite:/var/lib/jobs");
  CHECK(config.jobs.keep_results == 24);
  CHECK(Config().jobs.keep_results == 168);
  REQUIRE(config.routes.size() == 2);
  CHECK_FALSE(config.routes[0].at_most_once);
  CHECK(config.routes[0].runs == 5);
  CHECK(config.routes[0].job_concurrency == 0);
  CHECK(config.routes[1].at_most_once);
  CHECK(config.routes[1].runs == 2);
  CHECK(config.routes[1].job_concurrency == 3);
}

TEST_CASE("the version follows every value in force, but no secret and no order") {
  Loading loading(kExample);
  const std::string version = loading.Load().version;
  CHECK(version.size() == 12);
  CHECK(version.find_first_not_of("0123456789abcdef") == std::string::npos);
  loading.request.environment = {{"OPENAI_API_KEY", "sk-1"}};
  CHECK(loading.Load().version == version);
  loading.request.set = {"listen.grpc=50000"};
  CHECK(loading.Load().version == version);
  loading.request.set = {"routes.claude.concurrency=255"};
  CHECK(loading.Load().version != version);
}

struct Refused {
  std::string_view yaml;
  std::string_view error;
};

TEST_CASE("what is wrong is refused with its path, what is wrong, a remedy and its line") {
  const auto row = GENERATE(values<Refused>({
      // names
      {"lisen: {}", "lisen: is no setting: did you mean listen? (llm-router.yaml:1)"},
      {"\nlisten: { prot: 1 }",
       "listen.prot: is no setting: there are host, grpc, rest, admin, http, tls (llm-router.yaml:2)"},
      {"listen: { gprc: 1 }", "listen.gprc: is no setting: did you mean grpc? (llm-router.yaml:1)"},
      {"providers: { openai: { type: openai, api_key: x } }",
       "providers.openai.api_key: is no setting: there are type, base_url, key, api_version, headers "
       "(llm-router.yaml:1)"},
      {"store: postgres://db", "store: names no store: write sqlite:DIR (llm-router.yaml:1)"},
      {"store: \"sqlite:\"", "store: names no store: write sqlite:DIR (llm-router.yaml:1)"},
      {"jobs: { keep_results: 0 }",
       "jobs.keep_results: \"0\" is out of bounds: give a whole number from 1 to 87600 (llm-router.yaml:1)"},
      {"broker: { url: \"kubemq://b:1\", key: \"Bearer k\" }",
       "broker.key: holds a space or a character that no key has: copy the key again, without line breaks or "
       "quotes (llm-router.yaml:1)"},
      {"routes: { r: { targets: [ { provider: openai, model: m, weight: 2 } ] } }",
       "routes.r.targets[0].weight: weight is not available in this version: remove it, targets are tried in "
       "the "
       "order they are listed (llm-router.yaml:1)"},
      // twice
      {"log: info\nlog: debug",
       "log: is given twice: keep one (the first is llm-router.yaml:1) (llm-router.yaml:2)"},
      {"providers:\n  a: { type: openai }\n  a: { type: openai }\nroutes: {}",
       "providers.a: is given twice: keep one, or give each its own name (the first is llm-router.yaml:2) "
       "(llm-router.yaml:3)"},
      {"routes:\n  openai: { targets: [ { provider: openai, model: a, model: b } ] }",
       "routes.openai.targets[0].model: is given twice: keep one (the first is llm-router.yaml:2) "
       "(llm-router.yaml:2)"},
      // shapes
      {"[]", "is a list: give its settings as { NAME: VALUE } (llm-router.yaml:1)"},
      {"hello", "is a single value: give its settings as { NAME: VALUE } (llm-router.yaml:1)"},
      {"listen: 50000",
       "listen: is a single value: give its settings as { NAME: VALUE } (llm-router.yaml:1)"},
      {"log: [ info ]", "log: is a list: give a single value (llm-router.yaml:1)"},
      {"routes: [ { name: a } ]",
       "routes: is a list: give its entries as { NAME: { ... } } (llm-router.yaml:1)"},
      {"routes: { r: { targets: openai } }",
       "routes.r.targets: is a single value: give a list, as [ { ... } ] (llm-router.yaml:1)"},
      {"routes: { r: { targets: [ openai ] } }",
       "routes.r.targets[0]: is a single value: give its settings as { NAME: VALUE } (llm-router.yaml:1)"},
      // values
      {"listen: { grpc: many }",
       "listen.grpc: \"many\" is no whole number: give a whole number from 0 to 65535 (llm-router.yaml:1)"},
      {"listen: { grpc: 65536 }",
       "listen.grpc: \"65536\" is out of bounds: give a whole number from 0 to 65535 (llm-router.yaml:1)"},
      {"listen: { grpc: -1 }",
       "listen.grpc: \"-1\" is out of bounds: give a whole number from 0 to 65535 (llm-router.yaml:1)"},
      {"listen: { grpc: \"${PORT}\" }",
       "listen.grpc: the value of ${PORT} is no whole number: give a whole number from 0 to 65535 "
       "(llm-router.yaml:1)"},
      {"listen: { grpc: \"${UNSET}\" }",
       "listen.grpc: is empty: set UNSET in the environment or in .env (llm-router.yaml:1)"},
      {"listen: { grpc: \"\" }", "listen.grpc: is empty: give one (llm-router.yaml:1)"},
      {"listen: { grpc: \"${PORT\" }",
       "listen.grpc: holds a ${ that names no variable: write ${NAME}, or $${ for the text ${ "
       "(llm-router.yaml:1)"},
      {"listen: { grpc: 9090 }",
       "listen.rest: port 9090 is listen.grpc's already: give each its own, or 0 for any free one "
       "(llm-router.yaml:1)"},
      {"listen: { host: \"127.0.0.1:50000\" }",
       "listen.host: is no host: give an address such as 127.0.0.1, or a name, without a port "
       "(llm-router.yaml:1)"},
      {"limits: { body: 0 }",
       "limits.body: \"0\" is out of bounds: give a whole number from 1024 to 104857600 (llm-router.yaml:1)"},
      {"log: loud",
       "log: \"loud\" is none of its values: use one of debug, info, warning, error (llm-router.yaml:1)"},
      {"broker: mqtt://b",
       "broker: is no broker: give embedded:DIR or kubemq://host:port (llm-router.yaml:1)"},
      // providers
      {"providers: { a: {} }\nroutes: {}", "providers.a.type: is missing: give one"},
      {"providers: { a: { type: opnai } }\nroutes: {}",
       "providers.a.type: is no provider type: use one of anthropic, azure, openai, openai_compatible "
       "(llm-router.yaml:1)"},
      {"providers: { \"a b\": { type: openai } }\nroutes: {}",
       "providers.a b: is no id for a provider: use at most 128 letters, digits, _, - and . "
       "(llm-router.yaml:1)"},
      {"providers: { a: { type: openai_compatible } }\nroutes: {}",
       "providers.a.base_url: is missing: type openai_compatible has none of its own, give one such as "
       "http://127.0.0.1:8001/v1 (llm-router.yaml:1)"},
      {"providers: { a: { type: openai_compatible, base_url: lab } }\nroutes: {}",
       "providers.a.base_url: does not begin with http:// or https://: give http(s)://host[:port][/path], "
       "such as "
       "https://api.openai.com/v1 (llm-router.yaml:1)"},
      {"providers: { a: { type: openai, key: \"two words\" } }\nroutes: {}",
       "providers.a.key: holds a space or a character that no key has: copy the key again, without line "
       "breaks or "
       "quotes (llm-router.yaml:1)"},
      {"providers: { a: { type: azure } }\nroutes: {}",
       "providers.a.base_url: is missing: type azure has none of its own, give one such as "
       "https://RESOURCE.openai.azure.com (llm-router.yaml:1)"},
      {"providers: { a: { type: openai, api_version: \"2024-10-21\" } }\nroutes: {}",
       "providers.a.api_version: is of no use to type openai: remove it, its URLs name no version "
       "(llm-router.yaml:1)"},
      {"providers: { a: { type: azure, base_url: \"https://r\", api_version: \"1&x=2\" } }\nroutes: {}",
       "providers.a.api_version: is no version of an API: give it as in its documentation, such as "
       "2024-10-21 "
       "(llm-router.yaml:1)"},
      {"providers: { a: { type: openai, headers: x } }\nroutes: {}",
       "providers.a.headers: is a single value: give its entries as { NAME: VALUE } (llm-router.yaml:1)"},
      {"providers: { a: { type: openai, headers: { X-Api-Key: x } } }\nroutes: {}",
       "providers.a.headers.X-Api-Key: carries the key: remove it, and give the key as `key` "
       "(llm-router.yaml:1)"},
      {"providers: { a: { type: openai, headers: { Host: x } } }\nroutes: {}",
       "providers.a.headers.Host: is written by the call itself: remove it (llm-router.yaml:1)"},
      {"providers: { a: { type: openai, headers: { \"a b\": x } } }\nroutes: {}",
       "providers.a.headers.a b: is no name of an HTTP header: use letters, digits and - "
       "(llm-router.yaml:1)"},
      {"providers: { a: { type: openai, headers: { X-A: \"x\\ny\" } } }\nroutes: {}",
       "providers.a.headers.X-A: holds a character that no header has: use printable ASCII, without line "
       "breaks (llm-router.yaml:1)"},
      // routes
      {"routes: { llm_x: { targets: [ { provider: openai, model: m } ] } }",
       "routes.llm_x: route name \"llm_x\" is reserved: choose one that does not begin with llm or stream "
       "(llm-router.yaml:1)"},
      {"routes: { \"a b\": {} }",
       "routes.a b: route name \"a b\" is not valid: use letters, digits, _ and -, with single dots between "
       "(llm-router.yaml:1)"},
      {"routes: { r: {} }",
       "routes.r.targets: is missing: give at least one, as [ { provider: ID, model: NAME } ], or a "
       "chain (llm-router.yaml:1)"},
      {"routes: { r: { targets: [] } }",
       "routes.r.targets: is empty: give at least one, as [ { provider: ID, model: NAME } ], or a chain "
       "(llm-router.yaml:1)"},
      {"routes: { r: { targets: [ { model: m } ] } }",
       "routes.r.targets[0].provider: is missing: give the id of one of the providers"},
      {"routes: { r: { targets: [ { provider: opnai, model: m } ] } }",
       "routes.r.targets[0].provider: names a provider that is not defined: did you mean openai? (defined: "
       "openai, "
       "anthropic) (llm-router.yaml:1)"},
      {"routes: { r: { targets: [ { provider: lab, model: m } ] } }",
       "routes.r.targets[0].provider: names a provider that is not defined: define it under providers, or "
       "name one "
       "of these (defined: openai, anthropic) (llm-router.yaml:1)"},
      {"providers: { lab: { type: openai_compatible, base_url: \"http://h\" } }\n"
       "routes: { r: { targets: [ { provider: lab } ] } }",
       "routes.r.targets[0].model: is missing: give the model, as the provider names it (llm-router.yaml:2)"},
      {"routes: { r: { targets: [ { provider: openai, model: m } ], concurrency: 0 } }",
       "routes.r.concurrency: \"0\" is out of bounds: give a whole number from 1 to 100000 "
       "(llm-router.yaml:1)"},
      {"routes: { r: { targets: [ { provider: openai, model: m } ], concurrency: 4, reserve: 5 } }",
       "routes.r.reserve: 5 is more than routes.r.concurrency, 4: give at most that many "
       "(llm-router.yaml:1)"},
  }));
  INFO(row.yaml);
  Loading loading(row.yaml);
  loading.request.environment["PORT"] = "sk-secret";
  CHECK(loading.Error() == "configuration: " + std::string(row.error));
}

TEST_CASE("everything that is wrong is told at once") {
  CHECK(Loading(R"(log: loud
listen: { grpc: x }
routes:
  r: { targets: [ { provider: nobody, model: m } ] }
)")
            .Error() == R"(configuration has 3 problems:
  listen.grpc: "x" is no whole number: give a whole number from 0 to 65535 (llm-router.yaml:2)
  log: "loud" is none of its values: use one of debug, info, warning, error (llm-router.yaml:1)
  routes.r.targets[0].provider: names a provider that is not defined: define it under providers, or name one of these (defined: openai, anthropic) (llm-router.yaml:4))");
}

TEST_CASE("a refused secret is never quoted") {
  Loading loading(R"(providers:
  a: { type: openai, key: "canary 1" }
  b: { type: openai, base_url: "https://user:canary@host/v1" }
  c: { type: openai, base_url: "${C_URL}" }
routes: { r: { targets: [ { provider: "${D}", model: m } ] } }
)");
  loading.request.environment = {
      {"C_URL", "canary"}, {"D", "canary"}, {"LLM_ROUTER_PROVIDERS_C_KEY", "can ary"}};
  const std::string error = loading.Error();
  CHECK_THAT(error, Catch::StartsWith("configuration has 5 problems") && !Catch::Contains("canary"));
}

}  // namespace
}  // namespace llm_router
