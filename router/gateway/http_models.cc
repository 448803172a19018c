#include "router/gateway/http_models.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/dialects/json_body.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_page.h"
#include "router/gateway/http_query.h"

namespace llm_router {
namespace {

// Models have no date of their own here; SDKs want one.
constexpr int64_t kCreated = 1'735'689'600;
constexpr std::string_view kCreatedText = "2025-01-01T00:00:00Z";

struct Listed {
  std::string id;
  std::string owner;  // the route; of a model that several list: empty
};

// In order of their ids. A model that several routes list can only be asked for with its route.
std::vector<Listed> ModelsFor(GatewayCall& call) {
  std::map<std::string, std::string> owners;
  for (const contract::RouteModels& row : call.state.catalogue.Of(call.caller)) {
    for (const std::string& model : row.models) {
      owners[fmt::format("{}/{}", row.route, model)] = row.route;
      const auto [found, is_new] = owners.try_emplace(model, row.route);
      if (!is_new && found->second != row.route) found->second.clear();
    }
  }
  for (const contract::RouteModels& row : call.state.catalogue.Of(call.caller)) owners[row.route] = row.route;
  std::vector<Listed> models;
  for (auto& [id, owner] : owners) {
    if (!owner.empty()) models.push_back({id, owner});
  }
  return models;
}

bool WantsAnthropic(const GatewayCall& call) {
  return !HeaderOr(call.request.headers, "anthropic-version").empty();
}

Json ToJson(const Listed& model, bool anthropic) {
  if (anthropic) {
    return {{"type", "model"}, {"id", model.id}, {"display_name", model.id}, {"created_at", kCreatedText}};
  }
  return {{"id", model.id}, {"object", "model"}, {"created", kCreated}, {"owned_by", model.owner}};
}

Json OpenAiList(const std::vector<Listed>& models) {
  Json data = Json::array();
  for (const Listed& model : models) data.push_back(ToJson(model, false));
  return {{"object", "list"}, {"data", std::move(data)}};
}

absl::StatusOr<Json> AnthropicPage(const std::vector<Listed>& models, std::string_view query) {
  constexpr PageBounds kBounds{.usual = 20, .most = 1'000, .after = "after_id"};
  ASSIGN_OR_RETURN(const PageAsked page, ReadPage(query, kBounds));
  Json data = Json::array();
  bool has_more = false;
  for (const Listed& model : models) {
    if (model.id <= page.after) continue;
    has_more = static_cast<int64_t>(data.size()) == page.limit;
    if (has_more) break;
    data.push_back(ToJson(model, true));
  }
  Json first, last;
  if (!data.empty()) {
    first = data.front()["id"];
    last = data.back()["id"];
  }
  return Json{{"data", std::move(data)},
              {"has_more", has_more},
              {"first_id", std::move(first)},
              {"last_id", std::move(last)}};
}

}  // namespace

Awaitable<void> ListModels(GatewayCall& call) {
  co_await AwaitRoutes(call.state);
  const auto models = ModelsFor(call);
  if (!WantsAnthropic(call)) co_return co_await SendJson(call, 200, DumpJson(OpenAiList(models)));
  const auto page = AnthropicPage(models, call.request.query);
  if (!page.ok()) co_return co_await SendFailure(call, page.status());
  co_await SendJson(call, 200, DumpJson(*page));
}

Awaitable<void> GetModel(GatewayCall& call) {
  co_await AwaitRoutes(call.state);
  for (const Listed& model : ModelsFor(call)) {
    if (model.id != call.id) continue;
    co_return co_await SendJson(call, 200, DumpJson(ToJson(model, WantsAnthropic(call))));
  }
  co_await SendFailure(call,
                       MakeFault(Fault::kUnknownModel,
                                 fmt::format("there is no model \"{}\": GET /v1/models names those there are",
                                             Excerpt(call.id))));
}

}  // namespace llm_router
