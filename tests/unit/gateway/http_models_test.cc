// GET /v1/models in both shapes.
#include "tests/support/catch.h"
#include "tests/unit/gateway/http_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

std::vector<std::string> IdsOf(const Json& list) {
  std::vector<std::string> ids;
  for (const Json& model : list["data"]) ids.push_back(model["id"]);
  return ids;
}

constexpr std::string_view kVersion = "anthropic-version: 2023-06-01\r\n";

}  // namespace

TEST_CASE("every route, every model, and both joined are listed, in OpenAI's shape") {
  HttpRig rig;
  rig.Beat("claude", {"sonnet", "gpt"});
  // Both routes are known once both have been heard.
  const TimePoint patience = Now() + std::chrono::seconds(60);
  Json list = rig.Get("/v1/models").json();
  while (IdsOf(list).size() < 6 && Now() < patience) list = rig.Get("/v1/models").json();
  CHECK(list["object"] == "list");
  CHECK(IdsOf(list) == std::vector<std::string>{"claude", "claude/gpt", "claude/sonnet", "openai",
                                                "openai/gpt", "sonnet"});  // gpt alone could be either
  for (const Json& model : list["data"]) {
    CHECK(model["object"] == "model");
    CHECK(model["created"].is_number());
    CHECK(model["owned_by"].is_string());
  }
}

TEST_CASE("who sends anthropic-version gets Anthropic's list, in pages") {
  HttpRig rig;
  const Json all = rig.Get("/v1/models", kVersion).json();
  CHECK(IdsOf(all) == std::vector<std::string>{"gpt", "openai", "openai/gpt"});
  CHECK(all["has_more"] == false);
  CHECK(all["first_id"] == "gpt");
  CHECK(all["last_id"] == "openai/gpt");
  CHECK(all["data"][0]["type"] == "model");
  CHECK(all["data"][0]["display_name"].is_string());
  const Json first = rig.Get("/v1/models?limit=2", kVersion).json();
  CHECK(first["has_more"] == true);
  CHECK(IdsOf(rig.Get("/v1/models?limit=2&after_id=openai", kVersion).json()) ==
        std::vector<std::string>{"openai/gpt"});
  CHECK(rig.Get("/v1/models?limit=0", kVersion).json()["type"] == "error");
}

TEST_CASE("one model is found by its id, with a slash or an escape in it") {
  HttpRig rig;
  CHECK(rig.Get("/v1/models/gpt").json()["id"] == "gpt");
  CHECK(rig.Get("/v1/models/openai/gpt").json()["id"] == "openai/gpt");
  CHECK(rig.Get("/v1/models/openai%2Fgpt").json()["id"] == "openai/gpt");
  CHECK(rig.Get("/v1/models/gpt", kVersion).json()["type"] == "model");
  const HttpAnswer none = rig.Get("/v1/models/none");
  CHECK(none.status == 404);
  CHECK(none.json()["error"]["code"] == "unknown_model");
  CHECK(rig.Get("/v1/models/none", kVersion).json()["error"]["type"] == "not_found_error");
}

}  // namespace llm_router::test
