// tests/golden: what the published errors of a provider are read as, and what callers get to see of them.
#include <nlohmann/json.hpp>
#include <string>

#include "proto/contract.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "tests/unit/dialects/golden.h"
#include "tests/unit/providers/configured.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;
using test::Configured;
using test::Resolved;

HttpReply ReplyOf(const Json& golden) {
  HttpReply reply;
  reply.status = golden["status"];
  reply.body = golden["body"].dump();
  const Json headers = golden.value("headers", Json::object());
  for (const auto& [name, value] : headers.items())
    reply.headers.emplace_back(name, value.get<std::string>());
  return reply;
}

void CheckErrors(const Provider& provider, std::string_view folder) {
  for (const GoldenFile& file : GoldenErrors(folder)) {
    INFO(file.name);
    const Json golden = Json::parse(file.text);
    CHECK(golden["page"].get<std::string>().starts_with("https://"));
    const HttpReply reply = ReplyOf(golden);
    const ProviderError said = provider.dialect().ParseError(reply.body);
    CHECK(Json{{"type", said.type}, {"code", said.code}, {"message", said.message}} == golden["says"]);
    const absl::Status failure = provider.ClassifyFailure(reply);
    CHECK(RowOf(FaultOf(failure)).name == golden["fault"].get<std::string>());
    for (const char* dialect : {"openai.chat", "anthropic.messages"})
      CHECK(Json::parse(contract::ErrorBody(dialect, failure)) == golden["to"][dialect]);
  }
}

TEST_CASE("a provider's error becomes exactly this one of either API") {
  const Providers providers =
      Resolved({Configured("openai", "openai", "test-key", "OPENAI_API_KEY"),
                Configured("anthropic", "anthropic", "test-key", "ANTHROPIC_API_KEY")});
  CheckErrors(*providers.Find("openai"), "openai_chat");
  CheckErrors(*providers.Find("anthropic"), "anthropic_messages");
}

}  // namespace
}  // namespace llm_router
