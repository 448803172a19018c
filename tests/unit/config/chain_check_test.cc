#include "router/config/chain_check.h"

#include "tests/unit/config/loading.h"

namespace llm_router {
namespace {

using test::Loading;

const std::string kEnds =
    "routes:\n"
    "  openai: { targets: [ { provider: openai } ] }\n"
    "  claude: { targets: [ { provider: anthropic } ] }\n";

TEST_CASE("a route may be a chain of others, also of chains") {
  const Config config =
      Loading(kEnds +
              "  opinion: { chain: [ { route: openai, prompt: \"Summarize: {input}\" },\n"
              "    { route: claude, prompt: \"Sentiment of: {previous}\" } ] }\n"
              "  twice: { chain: [ { route: opinion, prompt: x }, { route: opinion, prompt: y } ] }\n")
          .Load();
  REQUIRE(config.routes.size() == 4);
  REQUIRE(config.routes[2].chain.size() == 2);
  CHECK(config.routes[2].chain[0].route == "openai");
  CHECK(config.routes[2].chain[1].prompt == "Sentiment of: {previous}");
  CHECK(config.routes[2].targets.empty());
}

TEST_CASE("a wrong chain is refused with path and remedy") {
  struct Case {
    std::string route;
    std::string path;
    std::string words;
  };
  const auto row = GENERATE(values<Case>({
      {"a: { chain: [ { route: a, prompt: x } ] }", "routes.a.chain[0].route", "goes in a circle, a -> a"},
      {"a: { chain: [ { route: b, prompt: x } ] }\n  b: { chain: [ { route: openai, prompt: x }, { route: a, "
       "prompt: y } ] }",
       "routes.b.chain[1].route", "goes in a circle, b -> a -> b: name another route"},
      {"a: { chain: [] }", "routes.a.chain", "give at least one step"},
      {"a: { chain: [ { route: openai, prompt: x } ], targets: [ { provider: openai } ] }", "routes.a.chain",
       "stands beside targets: remove one of them"},
      {"a: { concurrency: 1 }", "routes.a.targets", "or a chain"},
      {"a: { chain: [ { prompt: x } ] }", "routes.a.chain[0].route", "give the name of a route"},
      {"a: { chain: [ { route: openai } ] }", "routes.a.chain[0].prompt", "{previous}"},
      {"a: { chain: [ { route: openai, prompt: \"{name}\" } ] }", "routes.a.chain[0].prompt", "{name}"},
      {"a: { chain: [ { route: llm_x, prompt: x } ] }", "routes.a.chain[0].route", "reserved"},
      {"a: { chain: [ { route: openai, prompt: \"{previous}\" } ] }", "routes.a.chain[0].prompt",
       "nothing is before the first step: write {input}"},
  }));
  CAPTURE(row.route);
  const std::string error = Loading(kEnds + "  " + row.route + "\n").Error();
  CHECK_THAT(error, Catch::Contains(row.path + ": ") && Catch::Contains(row.words));
}

TEST_CASE("a route that leads into a circle is not the one to be mended") {
  const std::string error = Loading(kEnds +
                                    "  in: { chain: [ { route: a, prompt: x } ] }\n"
                                    "  a: { chain: [ { route: a, prompt: x } ] }\n")
                                .Error();
  CHECK(error.find("routes.in.") == std::string::npos);
}

TEST_CASE("a step's route that is not here may be elsewhere, and is told") {
  const Config config =
      Loading(kEnds + "  a: { chain: [ { route: cluade, prompt: x }, { route: far, prompt: x } ] }\n").Load();
  const auto sentences = StepsElsewhere(config.routes);
  REQUIRE(sentences.size() == 2);
  CHECK_THAT(sentences[0],
             Catch::Contains("routes.a.chain[0].route") && Catch::Contains("did you mean claude?"));
  CHECK_THAT(sentences[1], Catch::Contains("far") && !Catch::Contains("mean"));
}

TEST_CASE("routes come after those that their chains use") {
  const Config config = Loading(
                            "routes:\n"
                            "  outer: { chain: [ { route: inner, prompt: x }, { route: far, prompt: x } ] }\n"
                            "  inner: { chain: [ { route: end, prompt: x } ] }\n"
                            "  end: { targets: [ { provider: openai } ] }\n")
                            .Load();
  std::vector<std::string> names;
  for (const RouteConfig& route : InOrderOfUse(config.routes)) names.push_back(route.name);
  CHECK(names == std::vector<std::string>{"end", "inner", "outer"});
}

}  // namespace
}  // namespace llm_router
