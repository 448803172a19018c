#include "router/providers/providers.h"

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/unit/providers/configured.h"

namespace llm_router {
namespace {

using test::CallOf;
using test::Configured;
using test::Resolved;

TEST_CASE("a call of openai goes where its row says, with the key as a bearer token") {
  const Providers providers = Resolved({Configured("openai", "openai", "sk-1")});
  const Provider& provider = *providers.Find("openai");
  CHECK(provider.dialect().name() == contract::dialect::kOpenAiChat);
  const HttpCall call = CallOf(provider);
  CHECK(call.method == "POST");
  CHECK(call.url == "https://api.openai.com/v1/chat/completions");
  CHECK(call.body == "{}");
  CHECK(call.headers == HttpHeaders{{"content-type", "application/json"},
                                    {"accept", "application/json"},
                                    {"authorization", "Bearer sk-1"}});
}

TEST_CASE("a call of anthropic has its version, and the key in a header of its own") {
  const Providers providers =
      Resolved({Configured("claude", "anthropic", "sk-2", "", "http://127.0.0.1:1/v1/")});
  const Provider& provider = *providers.Find("claude");
  CHECK(provider.dialect().name() == contract::dialect::kAnthropicMessages);
  const HttpCall call = CallOf(provider);
  CHECK(call.url == "http://127.0.0.1:1/v1/messages");
  CHECK(call.headers == HttpHeaders{{"content-type", "application/json"},
                                    {"accept", "application/json"},
                                    {"anthropic-version", "2023-06-01"},
                                    {"x-api-key", "sk-2"}});
}

TEST_CASE("a provider that needs no key is called without one") {
  const Providers providers = Resolved({Configured("lab", "openai_compatible", "", "", "http://h:8001/v1")});
  const Provider& provider = *providers.Find("lab");
  CHECK(provider.CheckKey().ok());
  CHECK(CallOf(provider).headers.size() == 2);
}

TEST_CASE("a missing key is told with the variable that would give it") {
  const Providers providers =
      Resolved({Configured("openai", "openai", "", "MY_KEY"), Configured("bare", "anthropic")});
  const absl::Status named = providers.Find("openai")->CheckKey();
  CHECK(FaultOf(named) == Fault::kProviderKeyMissing);
  CHECK(MessageOf(named) ==
        "provider openai has no key: set MY_KEY in the environment or in .env, or start with --simulate");
  CHECK(MessageOf(providers.Find("bare")->CheckKey()) ==
        "provider bare has no key: give it key: \"${ANTHROPIC_API_KEY}\" in the configuration and set that "
        "variable, or start with --simulate");
}

TEST_CASE("the simulator stands in only for who needs a key and has none") {
  Providers providers = Resolved({Configured("openai", "openai", "sk-1"),
                                  Configured("claude", "anthropic", "", "ANTHROPIC_API_KEY"),
                                  Configured("lab", "openai_compatible", "", "", "http://h:8001/v1")});
  CHECK(providers.SimulateMissing("http://127.0.0.1:9") == std::vector<std::string>{"claude"});
  CHECK_FALSE(providers.Find("openai")->simulated());
  CHECK_FALSE(providers.Find("lab")->simulated());
  const Provider& claude = *providers.Find("claude");
  CHECK(claude.simulated());
  CHECK(claude.CheckKey().ok());
  CHECK(CallOf(claude).url == "http://127.0.0.1:9/anthropic/v1/messages");
}

TEST_CASE("providers of one type keep their own keys, and stay where they are when all are moved") {
  Providers providers = Resolved({Configured("a", "openai", "sk-a"), Configured("b", "openai", "sk-b")});
  const Provider* b = providers.Find("b");
  const Providers moved = std::move(providers);
  CHECK(moved.Find("b") == b);
  CHECK(CallOf(*b).headers.back().second == "Bearer sk-b");
  CHECK(moved.Find("c") == nullptr);
}

TEST_CASE("a call of azure names deployment and version in its URL, and has the key in a header of its own") {
  ProviderConfig config = Configured("eu", "azure", "k-1", "", "https://eu.openai.azure.com/");
  const Providers usual = Resolved({config});
  Warnings warnings;
  const HttpCall call = usual.Find("eu")->MakeCall("my gpt/4", "{}", warnings);
  CHECK(
      call.url ==
      "https://eu.openai.azure.com/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21");
  CHECK(call.headers.back() == std::pair<std::string, std::string>("api-key", "k-1"));
  config.api_version = "2025-01-01-preview";
  CHECK(CallOf(*Resolved({config}).Find("eu"))
            .url.ends_with("/m/chat/completions?api-version=2025-01-01-preview"));
}

TEST_CASE("configured headers go with every call, in place of the row's own") {
  ProviderConfig config = Configured("claude", "anthropic", "k");
  config.headers.emplace_back("anthropic-version", Secret("2026-01-01"));
  config.headers.emplace_back("x-team", Secret("red team"));
  CHECK(CallOf(*Resolved({config}).Find("claude")).headers ==
        HttpHeaders{{"content-type", "application/json"},
                    {"accept", "application/json"},
                    {"anthropic-version", "2026-01-01"},
                    {"x-team", "red team"},
                    {"x-api-key", "k"}});
}

TEST_CASE("the values of configured headers are never quoted") {
  ProviderConfig config = Configured("lab", "openai_compatible", "", "", "http://h/v1");
  config.headers.emplace_back("x-token", Secret("canary"));
  HttpReply reply;
  reply.status = 400;
  reply.body = R"({"error": {"message": "no canary here"}})";
  CHECK_THAT(Resolved({config}).Find("lab")->ClassifyFailure(reply).ToString(),
             Catch::Contains("no *** here") && !Catch::Contains("canary"));
}

TEST_CASE("a simulator plays the type it stands in for, at the path of that type") {
  Providers providers =
      Resolved({Configured("g", "groq"), Configured("eu", "azure", "", "", "https://eu/x")});
  CHECK(providers.SimulateMissing("http://127.0.0.1:9").size() == 2);
  CHECK(CallOf(*providers.Find("g")).url == "http://127.0.0.1:9/groq/openai/v1/chat/completions");
  CHECK(CallOf(*providers.Find("eu")).url ==
        "http://127.0.0.1:9/azure/openai/deployments/m/chat/completions?api-version=2024-10-21");
}

TEST_CASE("a type that the table does not have is refused") {
  Config config;
  config.providers.push_back(Configured("x", "nobody"));
  CHECK(FaultOf(Providers::Resolve(config).status()) == Fault::kInvalidRequest);
}

}  // namespace
}  // namespace llm_router
