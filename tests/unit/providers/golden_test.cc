// tests/golden/providers: the exact HTTP request that each row makes of one canonical chat.
#include "tests/unit/dialects/golden.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "router/dialects/dialect.h"
#include "router/dialects/json_splice.h"
#include "tests/unit/providers/configured.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;
using test::Configured;
using test::Resolved;

std::string CanonicalChat() {
  std::ifstream file(std::filesystem::path(GOLDEN_DIR) / "providers" / "chat.json", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Providers ProviderOf(const Json& golden, std::string_view type) {
  ProviderConfig config = Configured("golden", std::string(type), "test-key");
  if (golden.contains("base_url")) config.base_url = golden["base_url"].get<std::string>();
  if (golden.contains("headers")) {
    for (const auto& [name, value] : golden["headers"].items())
      config.headers.emplace_back(name, Secret(value.get<std::string>()));
  }
  return Resolved({config});
}

Json ToJson(const HttpCall& call) {
  Json headers = Json::object();
  for (const auto& [name, value] : call.headers) headers[name] = value;
  return {{"method", call.method}, {"url", call.url}, {"headers", headers}, {"body", Json::parse(call.body)}};
}

TEST_CASE("every type makes exactly its golden request of a chat, rendered or passed through") {
  const Dialect& openai = *FindDialect(contract::dialect::kOpenAiChat);
  const std::string body = CanonicalChat();
  Chat chat = *openai.ParseRequest(body);
  for (const ProviderRow& row : AllProviderRows()) {
    for (const GoldenFile& file : GoldenFiles(fmt::format("providers/{}", row.type))) {
      INFO(file.name);
      const Json golden = Json::parse(file.text);
      CHECK(golden["page"].get<std::string>().starts_with("https://"));
      const Providers providers = ProviderOf(golden, row.type);
      const Provider& provider = *providers.Find("golden");
      chat.model = golden["model"];
      Warnings warnings;
      const std::string rendered = *provider.dialect().RenderRequest(chat, warnings);
      CHECK(ToJson(provider.MakeCall(chat.model, rendered, warnings)) == golden["request"]);
      CHECK(Json(warnings) == golden["warnings"]);
      if (&provider.dialect() != &openai) continue;
      Warnings passing;
      const std::string passed = openai.WithModel(body, chat.model, false);
      CHECK(ToJson(provider.MakeCall(chat.model, passed, passing)) == golden["request"]);
      CHECK(Json(passing) == golden["warnings"]);
    }
  }
}

}  // namespace
}  // namespace llm_router
