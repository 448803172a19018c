// Every quirk of every row against the simulator of that provider: with it the provider answers, without it
// the provider refuses. The cases are generated from both tables.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "router/dialects/dialect.h"
#include "router/providers/provider.h"
#include "router/simulate/provider_rules.h"
#include "tests/support/catch.h"
#include "tests/unit/providers/configured.h"
#include "tests/unit/simulate/simulated.h"

namespace llm_router {
namespace {

using simulate::FieldRule;
using simulate::ProviderRules;
using test::Configured;
using test::Json;
using test::Simulated;

// A value for each field that a quirk or a rule names, which asks for something.
const Json& ExampleOf(std::string_view field) {
  static const Json kExamples = Json::parse(R"({
      "audio": {"voice": "alloy", "format": "wav"}, "frequency_penalty": 0.5, "logit_bias": {"50256": -100},
      "logprobs": true, "max_completion_tokens": 50, "max_tokens": 50, "metadata": {"a": "b"},
      "modalities": ["text", "audio"], "n": 2, "name": "ann", "parallel_tool_calls": false,
      "prediction": {"type": "content", "content": "x"}, "presence_penalty": 0.5, "seed": 7,
      "service_tier": "flex", "stop": ["END"], "store": true, "temperature": 0.5, "tool_choice": "required",
      "top_logprobs": 3, "top_p": 0.5, "user": "u-1"})");
  INFO(field << " needs a value in ExampleOf");
  REQUIRE(kExamples.contains(field));
  return kExamples.at(std::string(field));
}

// A chat that the simulated provider takes, but for what is then put into it.
Json PlainBody(const ProviderRow& row, std::span<const std::string_view> models) {
  const std::string_view usual = row.default_model.empty() ? "m" : row.default_model;
  Json body = test::OpenAiBody(std::string(models.empty() ? usual : models.front()), "Hi");
  if (row.dialect == contract::dialect::kAnthropicMessages) body["max_tokens"] = 100;
  return body;
}

void Put(Json& body, std::string_view field) {
  body[std::string(field)] = ExampleOf(field);
  if (field == "tool_choice")
    body["tools"] = Json::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {}}}])");
}

void PutMessage(Json& body, std::string_view role) {
  body["messages"].insert(body["messages"].begin(), Json{{"role", role}, {"content", "Be brief."}});
}

Json Provoking(const ProviderRow& row, const Quirk& quirk) {
  Json body = PlainBody(row, quirk.models);
  switch (quirk.kind) {
    case Quirk::Kind::kRange:
      body[std::string(quirk.field)] = quirk.most + 0.5;
      break;
    case Quirk::Kind::kRole:
      PutMessage(body, quirk.field);
      break;
    case Quirk::Kind::kMessageField:
      body["messages"][0][std::string(quirk.field)] = ExampleOf(quirk.field);
      break;
    default:
      Put(body, quirk.field);
      if (!quirk.beside.empty()) Put(body, quirk.beside);
  }
  return body;
}

Json Provoking(const ProviderRow& row, const FieldRule& rule) {
  Json body = PlainBody(row, rule.models);
  switch (rule.kind) {
    case FieldRule::Kind::kRange:
      body[std::string(rule.field)] = rule.most + 0.5;
      break;
    case FieldRule::Kind::kRole:
      PutMessage(body, rule.field);
      break;
    case FieldRule::Kind::kMessageField:
      body["messages"][0][std::string(rule.field)] = ExampleOf(rule.field);
      break;
    default:
      Put(body, rule.field);
      if (rule.kind == FieldRule::Kind::kNotBoth) Put(body, rule.other);
  }
  return body;
}

// The status that a call of the simulated provider gets, made by `row`.
Awaitable<int> StatusOf(Simulated& simulated, const ProviderRow& row, Json body) {
  Provider provider(row, *FindDialect(row.dialect), Configured("p", std::string(row.type)));
  const HttpCall aimed = simulated.Call("POST", "");
  provider.Simulate(aimed.url);
  Warnings warnings;
  HttpCall call = provider.MakeCall(body["model"].get<std::string>(), body.dump(), warnings);
  call.deadline = aimed.deadline;
  const auto reply = co_await simulated.Do(std::move(call));
  INFO(reply.status());
  REQUIRE(reply.ok());
  INFO(reply->body);
  co_return reply->status;
}

ProviderRow Without(const ProviderRow& row, size_t index, std::vector<Quirk>& rest) {
  rest.assign(row.quirks.begin(), row.quirks.end());
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(index));
  ProviderRow copy = row;
  copy.quirks = rest;
  return copy;
}

TEST_CASE("the simulator plays every type of provider") {
  for (const ProviderRow& row : AllProviderRows()) {
    INFO(row.type);
    CHECK(simulate::FindProviderRules(row.type) != nullptr);
  }
  CHECK(simulate::AllProviderRules().size() == AllProviderRows().size());
}

TEST_CASE(
    "a provider refuses a request from which any quirk of its row was left out, and takes it with all") {
  test::WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    for (const ProviderRow& row : AllProviderRows()) {
      for (size_t i = 0; i < row.quirks.size(); ++i) {
        const Json body = Provoking(row, row.quirks[i]);
        INFO(row.type << ": " << row.quirks[i].field << ": " << body.dump());
        std::vector<Quirk> rest;
        CHECK(co_await StatusOf(simulated, Without(row, i, rest), body) == 400);
        CHECK(co_await StatusOf(simulated, row, body) == 200);
      }
    }
  });
}

TEST_CASE("whatever a simulated provider refuses, its row mends") {
  test::WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    for (const ProviderRules& rules : simulate::AllProviderRules()) {
      const ProviderRow* row = FindProviderRow(rules.type);
      REQUIRE(row != nullptr);
      CHECK(co_await StatusOf(simulated, *row, PlainBody(*row, {})) == 200);
      for (const FieldRule& rule : rules.fields) {
        const Json body = Provoking(*row, rule);
        INFO(row->type << ": " << rule.field << ": " << body.dump());
        CHECK(co_await StatusOf(simulated, *row, body) == 200);
      }
    }
  });
}

TEST_CASE("a provider refuses a call that goes elsewhere, or carries its key or version in another way") {
  test::WithSimulator([](Simulated& simulated, Loop&) -> Awaitable<void> {
    for (const ProviderRow& row : AllProviderRows()) {
      INFO(row.type);
      const Json body = PlainBody(row, {});
      ProviderRow changed = row;
      changed.path = "/elsewhere";
      CHECK(co_await StatusOf(simulated, changed, body) == 404);
      changed = row;
      changed.auth_header = "x-key";
      CHECK(co_await StatusOf(simulated, changed, body) == (row.needs_key ? 401 : 200));
      changed = row;
      changed.headers = {};
      CHECK(co_await StatusOf(simulated, changed, body) == (row.headers.empty() ? 200 : 400));
      changed = row;
      changed.api_version = "";
      CHECK(co_await StatusOf(simulated, changed, body) == (row.api_version.empty() ? 200 : 404));
    }
  });
}

}  // namespace
}  // namespace llm_router
